using System.Diagnostics.Metrics;
using Streaming.Core.Ingestion;
using Streaming.Worker.Metrics;
using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class FreshnessClockTests : IDisposable
{
    private readonly List<(string Leg, double Seconds)> _measured = [];
    private readonly WorkerMetrics _metrics = new();
    private readonly MeterListener _listener = new();
    private readonly ManualTime _time = new();
    private readonly FreshnessClock _clock;

    public FreshnessClockTests()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        _clock = new FreshnessClock(_metrics, _time);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "streaming.freshness.leg.duration")
            {
                listener.EnableMeasurementEvents(instrument, this);
            }
        };
        _listener.SetMeasurementEventCallback<double>(
            (_, seconds, tags, _) => _measured.Add(((string)tags[0].Value!, Math.Round(seconds, 6)))
        );
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void Legs_OfTwoBatchesOfOneHandOver_AddUpToTheWayOfTheFirst()
    {
        Train(BatchOf(lingers: 30, waits: 20), lasts: 50);
        Train(BatchOf(lingers: 1, waits: 2), lasts: 40);
        _time.Advance(TimeSpan.FromMilliseconds(7));
        _clock.HandedOver();
        _clock.HandedOver(); // nothing has been trained on since

        Assert.Equal(
            [
                ("batching", 0.03),
                ("queue", 0.02),
                ("training", 0.05),
                ("batching", 0.001),
                ("queue", 0.002),
                ("training", 0.04),
                ("handover", 0.05), // from the first on: 3 ms for the batch, 40 ms of training, 7 ms
            ],
            _measured
        );
    }

    /// <summary>A rank trains on batches of others, and every worker has batches that only advance positions.</summary>
    [Fact]
    public void Taken_NoEventsOfItsOwn_MeasuresTrainingAlone()
    {
        Train(null, lasts: 5);
        Train(new Batch(4, 4) { Begun = 1, Sealed = 2 }, lasts: 6);

        Assert.Equal([("training", 0.005), ("training", 0.006)], _measured);
    }

    private Batch BatchOf(int lingers, int waits)
    {
        var batch = new Batch(4, 4) { Count = 1, Begun = _time.GetTimestamp() };
        _time.Advance(TimeSpan.FromMilliseconds(lingers));
        batch.Sealed = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(waits));
        return batch;
    }

    private void Train(Batch? batch, int lasts)
    {
        _clock.Taken(batch);
        _time.Advance(TimeSpan.FromMilliseconds(lasts));
        _clock.Trained();
    }
}
