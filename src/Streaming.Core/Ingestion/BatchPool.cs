using System.Collections.Concurrent;

namespace Streaming.Core.Ingestion;

/// <summary>Pools empty batches. The batcher rents a batch; its last consumer returns it.</summary>
public sealed class BatchPool
{
    private readonly ConcurrentQueue<Batch> _free = new();
    private readonly int _capacity;
    private readonly int _historyLength;
    private readonly int _keep;

    /// <summary>Creates an empty pool.</summary>
    /// <param name="batchSize">Largest number of examples in a batch.</param>
    /// <param name="historyLength">Largest history of an example, L.</param>
    /// <param name="keep">The number of free batches to keep: as many as can be in flight at once.</param>
    public BatchPool(int batchSize, int historyLength, int keep = 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        _capacity = batchSize;
        _historyLength = historyLength;
        _keep = keep;
    }

    /// <summary>Rents an empty batch.</summary>
    public Batch Rent() => _free.TryDequeue(out Batch? batch) ? batch : new Batch(_capacity, _historyLength);

    /// <summary>Returns a batch and empties it. Does not dispose its snapshot, which belongs to the receiver of the batch.</summary>
    public void Return(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Clear();
        if (_free.Count < _keep)
        {
            _free.Enqueue(batch);
        }
    }
}
