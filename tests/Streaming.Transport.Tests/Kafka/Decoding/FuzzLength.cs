namespace Streaming.Transport.Tests;

/// <summary>How many cases a fuzz test runs: enough for every build, or as many as FUZZ_CASES says, for a long run.</summary>
internal static class FuzzLength
{
    public static int Cases(int normal)
        => int.TryParse(Environment.GetEnvironmentVariable("FUZZ_CASES"), out int cases) ? Math.Max(normal, cases) : normal;
}
