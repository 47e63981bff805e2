using System.Collections.Concurrent;

namespace Streaming.Core.Ingestion;

/// <summary>Keeps empty batches for their next use. The batcher rents, whoever is done with a batch returns it.</summary>
public sealed class BatchPool
{
    private readonly ConcurrentQueue<Batch> _free = new();
    private readonly int _capacity;
    private readonly int _historyLength;
    private readonly int _keep;

    /// <summary>Creates an empty pool.</summary>
    /// <param name="batchSize">Largest number of examples in a batch.</param>
    /// <param name="historyLength">Largest history of an example, L.</param>
    /// <param name="keep">How many free batches are kept: as many as can be under way at once.</param>
    public BatchPool(int batchSize, int historyLength, int keep = 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        _capacity = batchSize;
        _historyLength = historyLength;
        _keep = keep;
    }

    /// <summary>Gives an empty batch.</summary>
    public Batch Rent() => _free.TryDequeue(out Batch? batch) ? batch : new Batch(_capacity, _historyLength);

    /// <summary>Takes a batch back and empties it. Its snapshot is not disposed of: that is whose it was handed to.</summary>
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
