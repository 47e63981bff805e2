namespace Streaming.Lab.Demo.Report;

/// <summary>What became of the events. Produced = Trained + HistoryOnly + DeadLettered + Duplicates.</summary>
internal sealed record EventTotals(long Produced, long Decoded, long Trained, long HistoryOnly, long DeadLettered, long Duplicates);
