namespace Streaming.Core.Ingestion;

/// <summary>
/// The ingestion state (histories, dedup window, counters) as of one batch: the barrier of a checkpoint. It travels in that
/// batch, which aligns it with the trainer's state after the batch's step.
/// </summary>
/// <remarks>May be written later and on another thread, while ingestion continues.</remarks>
public abstract class IngestSnapshot : IDisposable
{
    /// <summary>Writes the state. Call at most once.</summary>
    /// <param name="destination">The stream; it need only be writable.</param>
    public abstract void WriteTo(Stream destination);

    /// <summary>Releases the snapshot's memory, written or not.</summary>
    public abstract void Dispose();
}
