using System.Globalization;
using Xunit;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>The result of each case as a table row, written when the case ends.</summary>
internal static class CaseTable
{
    /// <summary>Adds the current case.</summary>
    /// <param name="gone">Records deleted by the broker, according to its own offsets.</param>
    /// <param name="lost">Other events without effect; null: the case ends before this is known.</param>
    /// <param name="doubled">Effects beyond one per event.</param>
    /// <param name="stale">Values in Redis that are not what the model encodes.</param>
    /// <param name="seconds">Duration.</param>
    public static void Add(long gone, long? lost, long? doubled, long? stale, double seconds)
    {
        string name = TestContext.Current.Test!.TestDisplayName.Replace("Streaming.Kafka.Tests.", string.Empty, StringComparison.Ordinal);
        Console.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {name, -100} | {gone, 5} | {lost?.ToString(CultureInfo.InvariantCulture) ?? "-", 4} | "
                    + $"{doubled?.ToString(CultureInfo.InvariantCulture) ?? "-", 7} | "
                    + $"{stale?.ToString(CultureInfo.InvariantCulture) ?? "-", 5} | {seconds, 5:F0} s |"
            )
        );
    }
}
