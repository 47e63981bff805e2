namespace Streaming.Core.Ingestion;

/// <summary>
/// The ingestion side (histories, dedup window, counters) as of one batch: the barrier of a checkpoint.
/// It rides in that batch, so that the trainer's state after the batch's step and this belong together.
/// </summary>
/// <remarks>Reading may happen later and on another thread, while ingestion goes on.</remarks>
public abstract class IngestSnapshot : IDisposable
{
    /// <summary>Writes the state. To be called at most once.</summary>
    /// <param name="destination">A stream that is only written to.</param>
    public abstract void WriteTo(Stream destination);

    /// <summary>Ends the snapshot and frees what it holds, written or not.</summary>
    public abstract void Dispose();
}
