using System.Diagnostics.Metrics;
using Streaming.Learning.Ranks;

namespace Streaming.Worker.Metrics;

/// <summary>How a rank works with the others: which one it is, what it sends, and how long it is in operations among them. Nothing in a
/// process that trains alone.</summary>
public sealed class RankMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streaming.Ranks";

    private readonly Meter _meter = new(MeterName);

    /// <summary>Creates the instruments.</summary>
    /// <param name="ranks">The ranks; read at each scrape.</param>
    public RankMetrics(Collective ranks)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        if (ranks.Size == 1)
        {
            return;
        }

        _meter.CreateObservableGauge(
            "streaming.rank.info",
            () => new Measurement<int>(1, new("rank", ranks.Rank), new("ranks", ranks.Size)),
            null,
            "1, with the number of this rank and of all ranks."
        );
        _meter.CreateObservableCounter("streaming.rank.sent", () => ranks.BytesSent, "By", "Bytes sent to other ranks.");
        _meter.CreateObservableCounter(
            "streaming.rank.time",
            () => ranks.Time.TotalSeconds,
            "s",
            "Time in operations among the ranks, including the wait for others."
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
