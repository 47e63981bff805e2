using System.Diagnostics;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>Waiting for a condition, as long as it takes on a busy machine.</summary>
internal static class Until
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Waits until it is true.</summary>
    /// <param name="isTrue">Asked again and again.</param>
    /// <param name="describe">What was waited for and how things are, should it never be.</param>
    /// <exception cref="TimeoutException">It never was.</exception>
    public static async Task TrueAsync(Func<Task<bool>> isTrue, Func<string> describe)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!await isTrue())
        {
            if (Stopwatch.GetElapsedTime(begun) > Limit)
            {
                throw new TimeoutException($"Not within {Limit.TotalSeconds:F0} s: {describe()}");
            }

            await Task.Delay(100);
        }
    }
}
