namespace Streaming.Lab.Demo.Report;

/// <summary>Training totals.</summary>
internal sealed record TrainingTotals(long Steps, long Replayed, double Loss, int Items, int BankEntries, int BankCapacity, long Published);
