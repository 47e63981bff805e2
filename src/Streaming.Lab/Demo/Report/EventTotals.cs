namespace Streaming.Lab.Demo.Report;

/// <summary>Number of events by outcome. Produced = Trained + HistoryOnly + DeadLettered + Duplicates.</summary>
internal sealed record EventTotals(long Produced, long Decoded, long Trained, long HistoryOnly, long DeadLettered, long Duplicates);
