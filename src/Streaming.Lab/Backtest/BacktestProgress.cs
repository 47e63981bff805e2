using System.Globalization;

namespace Streaming.Lab.Backtest;

/// <summary>Prints one-line progress reports of long runs: speed, loss and remaining time.</summary>
/// <param name="writer">The output: standard error.</param>
/// <param name="time">Clock.</param>
/// <param name="interval">Minimum time between two lines within an epoch.</param>
internal sealed class BacktestProgress(TextWriter writer, TimeProvider time, TimeSpan interval)
{
    private readonly long _start = time.GetTimestamp();
    private long _lastLine = time.GetTimestamp();
    private long _epochStart;
    private long _examples;

    /// <summary>Prints a line.</summary>
    public void Line(string text) =>
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{Clock(time.GetElapsedTime(_start))}] {text}"));

    /// <summary>Reports a step.</summary>
    public void Step(string label, int epoch, int batch, int batches, int examples, double loss)
    {
        if (batch == 1)
        {
            _epochStart = time.GetTimestamp();
            _examples = 0;
        }

        _examples += examples;
        if (time.GetElapsedTime(_lastLine) >= interval)
        {
            _lastLine = time.GetTimestamp();
            Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{label}: epoch {epoch}, {100.0 * batch / batches:F0} %, {Rate():F0} examples/s, loss {loss:F4}"
                )
            );
        }
    }

    /// <summary>Reports an epoch and its validation.</summary>
    public void Epoch(string label, int epoch, int epochs, double loss, double ndcg, double best, int bestEpoch)
    {
        TimeSpan each = time.GetElapsedTime(_epochStart);
        _lastLine = time.GetTimestamp();
        Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{label}: epoch {epoch} of at most {epochs}, {Rate():F0} examples/s, loss {loss:F4}, validation NDCG@10 {ndcg:F4} "
                    + $"(best {best:F4} at {bestEpoch}), at most {Clock(each * (epochs - epoch))} left"
            )
        );
    }

    /// <summary>Reports a part of a stream.</summary>
    public void Stream(string label, long done, long total, string state)
    {
        if (time.GetElapsedTime(_lastLine) < interval && done < total)
        {
            return;
        }

        _lastLine = time.GetTimestamp();
        TimeSpan elapsed = time.GetElapsedTime(_start);
        TimeSpan left = done > 0 ? elapsed * ((double)(total - done) / done) : TimeSpan.Zero;
        Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{label}: {done} of {total} events, {done / Math.Max(1e-3, elapsed.TotalSeconds):F0} events/s, {state}, {Clock(left)} left"
            )
        );
    }

    private static string Clock(TimeSpan span) =>
        span.TotalHours >= 1
            ? span.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture)
            : span.ToString(@"m\:ss", CultureInfo.InvariantCulture);

    private double Rate() => _examples / Math.Max(1e-3, time.GetElapsedTime(_epochStart).TotalSeconds);
}
