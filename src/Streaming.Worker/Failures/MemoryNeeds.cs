using System.Globalization;

namespace Streaming.Worker.Failures;

/// <summary>The message when memory runs out.</summary>
internal static class MemoryNeeds
{
    /// <summary>One line with the limit and the settings that determine memory use.</summary>
    public static string Exhausted() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"out of memory: the runtime may use {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB. Raise the limit, or lower "
                + $"STREAMING__Model__ItemCapacity, STREAMING__Model__Widths, STREAMING__Model__BankCapacity, "
                + $"STREAMING__History__MaxUsers or STREAMING__Dedup__Capacity."
        );
}
