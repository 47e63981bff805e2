using System.Diagnostics;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>Waits for a condition, long enough for a busy machine.</summary>
internal static class Until
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Waits until it is true.</summary>
    /// <param name="isTrue">Evaluated repeatedly.</param>
    /// <param name="describe">Describes what was awaited and the current state, for the timeout's message.</param>
    /// <exception cref="TimeoutException">It never became true.</exception>
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
