namespace Streaming.Worker.Failures;

/// <summary>What is said when memory runs out.</summary>
internal static class MemoryNeeds
{
    /// <summary>One line with the limit and the settings that count.</summary>
    public static string Exhausted() => FormattableString.Invariant(
        $"out of memory: the runtime may use {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB. Raise the limit, or lower Model__ItemCapacity, Model__Widths, Model__BankCapacity, History__MaxUsers or Dedup__Capacity.");
}
