using System.Collections.Concurrent;
using System.Globalization;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>What came of each case, as a table at the end.</summary>
internal static class CaseTable
{
    private static readonly ConcurrentQueue<string> Rows = new();

    /// <summary>Adds the case that runs now.</summary>
    /// <param name="gone">Records that the broker no longer had, by its own offsets.</param>
    /// <param name="lost">Other events without effect; null: the case ends before that can be said.</param>
    /// <param name="doubled">Effects beyond one an event.</param>
    /// <param name="stale">Values in Redis that are not what the model encodes.</param>
    /// <param name="seconds">How long it took.</param>
    public static void Add(long gone, long? lost, long? doubled, long? stale, double seconds)
    {
        string name = TestContext.Current.Test!.TestDisplayName.Replace("Streaming.Kafka.Tests.", string.Empty, StringComparison.Ordinal);
        Rows.Enqueue(string.Create(CultureInfo.InvariantCulture, $"| {name,-100} | {gone,5} | {lost?.ToString(CultureInfo.InvariantCulture) ?? "-",4} | {doubled?.ToString(CultureInfo.InvariantCulture) ?? "-",7} | {stale?.ToString(CultureInfo.InvariantCulture) ?? "-",5} | {seconds,5:F0} s |"));
    }

    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine($"| {"case",-100} | gone  | lost | doubled | stale | time    |");
        foreach (string row in Rows.Order(StringComparer.Ordinal))
        {
            output.WriteLine(row);
        }
    }
}
