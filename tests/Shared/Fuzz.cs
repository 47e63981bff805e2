using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Streaming.Tests;

/// <summary>
/// Hostile inputs for a parser: as many as a build can afford, or FUZZ_FACTOR times as many (<c>tests/fuzz.sh</c>).
/// Allocations per case are bounded; a case that hangs hangs the test.
/// </summary>
internal static class Fuzz
{
    /// <summary>Trait of the tests that <c>tests/fuzz.sh</c> runs.</summary>
    public const string Kind = "Fuzz";

    /// <summary>Runs the cases.</summary>
    /// <param name="seed">Seed of the cases.</param>
    /// <param name="cases">Number of cases in a build.</param>
    /// <param name="maxBytes">The maximum allocation per case on this thread.</param>
    /// <param name="run">Runs one case; returns whether the parser accepted it.</param>
    /// <returns>The number of cases, and of accepted ones.</returns>
    public static (int Cases, int Accepted) Run(int seed, int cases, long maxBytes, Func<Random, bool> run)
    {
        cases *= int.TryParse(
            Environment.GetEnvironmentVariable("FUZZ_FACTOR"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out int factor
        )
            ? factor
            : 1;
        var random = new Random(seed);
        int accepted = 0;
        long most = 0;
        TimeSpan longest = default;
        for (int i = 0; i < cases; i++)
        {
            long begun = Stopwatch.GetTimestamp();
            long before = GC.GetAllocatedBytesForCurrentThread();
            accepted += run(random) ? 1 : 0;
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            TimeSpan time = Stopwatch.GetElapsedTime(begun);
            most = Math.Max(most, allocated);
            longest = time > longest ? time : longest;
            if (allocated > maxBytes)
            {
                Assert.Fail($"Case {i} of seed {seed} allocated {allocated} bytes; allowed are {maxBytes}.");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"fuzz: {cases} cases, {accepted} accepted, at most {most} bytes and {longest.TotalMilliseconds:F0} ms a case"
            )
        );
        return (cases, accepted);
    }
}
