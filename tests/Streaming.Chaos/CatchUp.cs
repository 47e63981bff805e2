using System.Diagnostics;

namespace Streaming.Chaos;

/// <summary>Waits until a worker has read everything and has then published every item again.</summary>
internal static class CatchUp
{
    /// <summary>Waits.</summary>
    /// <exception cref="InvalidOperationException">It did not catch up in time, or ended.</exception>
    public static async Task WaitAsync(WorkerProcess worker, TimeSpan timeout)
    {
        long quiet = Stopwatch.GetTimestamp();
        long begun = quiet;
        while (Stopwatch.GetElapsedTime(quiet) < TimeSpan.FromSeconds(5))
        {
            double lag = await worker.ReadAsync("streaming_lag", CancellationToken.None).ConfigureAwait(false);
            if (lag is not 0)
            {
                quiet = Stopwatch.GetTimestamp();
            }

            if (worker.HasExited || Stopwatch.GetElapsedTime(begun) > timeout)
            {
                throw new InvalidOperationException("The last worker did not catch up; see its log.");
            }

            await Task.Delay(100).ConfigureAwait(false);
        }
    }
}
