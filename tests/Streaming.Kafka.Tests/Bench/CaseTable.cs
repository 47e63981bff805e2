using System.Globalization;
using Xunit;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>What came of each case, a row of a table each, written as the cases end.</summary>
internal static class CaseTable
{
    /// <summary>Adds the case that runs now.</summary>
    /// <param name="gone">Records that the broker no longer had, by its own offsets.</param>
    /// <param name="lost">Other events without effect; null: the case ends before that can be said.</param>
    /// <param name="doubled">Effects beyond one an event.</param>
    /// <param name="stale">Values in Redis that are not what the model encodes.</param>
    /// <param name="seconds">How long it took.</param>
    public static void Add(long gone, long? lost, long? doubled, long? stale, double seconds)
    {
        string name = TestContext.Current.Test!.TestDisplayName.Replace("Streaming.Kafka.Tests.", string.Empty, StringComparison.Ordinal);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name,-100} | {gone,5} | {lost?.ToString(CultureInfo.InvariantCulture) ?? "-",4} | {doubled?.ToString(CultureInfo.InvariantCulture) ?? "-",7} | {stale?.ToString(CultureInfo.InvariantCulture) ?? "-",5} | {seconds,5:F0} s |"));
    }
}
