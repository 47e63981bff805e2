using Streaming.Core.Ingestion;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Stages;

/// <summary>Measures where events wait on their way from the reader to the publisher, batch by batch. The training thread.</summary>
/// <param name="metrics">Receives the times.</param>
/// <param name="time">The clock of the batcher, too.</param>
internal sealed class FreshnessClock(WorkerMetrics metrics, TimeProvider time)
{
    private long _taken;
    private long _trained;

    /// <summary>The trainer takes a batch.</summary>
    /// <param name="batch">A batch that this process has read; null: its events come from other ranks alone.</param>
    public void Taken(Batch? batch)
    {
        _taken = time.GetTimestamp();
        if (batch is { Count: > 0, Begun: > 0 })
        {
            metrics.RecordLeg(FreshnessLeg.Batching, time.GetElapsedTime(batch.Begun, batch.Sealed));
            metrics.RecordLeg(FreshnessLeg.Queue, time.GetElapsedTime(batch.Sealed, _taken));
        }
    }

    /// <summary>The batch that was taken last has been trained on.</summary>
    public void Trained()
    {
        long now = time.GetTimestamp();
        metrics.RecordLeg(FreshnessLeg.Training, time.GetElapsedTime(_taken, now));
        _trained = _trained == 0 ? now : _trained;
    }

    /// <summary>What was trained on since the last call has been handed to the publisher.</summary>
    public void HandedOver()
    {
        if (_trained != 0)
        {
            metrics.RecordLeg(FreshnessLeg.Handover, time.GetElapsedTime(_trained));
            _trained = 0;
        }
    }
}
