using Streaming.Core.Ingestion;
using Streaming.Core.Tracing;
using Streaming.Models.State;

namespace Streaming.Learning.Ranks;

/// <summary>
/// Concatenates the batches of all ranks, in rank order, into one that is the same on each: examples with their histories, changes of the
/// catalogue, counts. Positions, snapshot and traces stay with the rank that read the records.
/// </summary>
/// <remarks>About 70 bytes per example, and 8 per item of its history. Once the buffers have grown, only changes of the catalogue
/// allocate.</remarks>
/// <param name="ranks">The ranks.</param>
public sealed class BatchMerger(Collective ranks)
{
    private readonly BatchWriter _writer = new();
    private readonly int[] _lengths = new int[ranks.Size];
    private readonly int[] _ones = [.. Enumerable.Repeat(1, ranks.Size)];
    private byte[] _bytes = [];

    /// <summary>Creates an empty batch for the merged examples of all ranks.</summary>
    /// <param name="capacity">Largest number of examples of one rank's batch.</param>
    /// <param name="historyLength">Largest history of an example.</param>
    public Batch Create(int capacity, int historyLength) => new(checked(capacity * ranks.Size), historyLength);

    /// <summary>Merges. Collective.</summary>
    /// <param name="own">This rank's batch; null: it has none now.</param>
    /// <param name="all">Receives the batches of all ranks; made by <see cref="Create"/>.</param>
    /// <param name="sequence">Number of the merged batch.</param>
    /// <exception cref="InvalidDataException">The ranks' batches do not fit together: their settings or versions differ.</exception>
    public void Merge(Batch? own, Batch all, long sequence)
    {
        ArgumentNullException.ThrowIfNull(all);
        all.Clear();
        all.Sequence = sequence;
        all.FullSize = 0;
        ReadOnlySpan<byte> written = own is null ? [] : _writer.Write(own);
        ranks.Gather([written.Length], _lengths, _ones);
        int total = 0;
        foreach (int length in _lengths)
        {
            total = checked(total + length);
        }

        Buffers.Grow(ref _bytes, total);
        ranks.Gather(written, _bytes.AsSpan(0, total), _lengths);
        for (int rank = 0, start = 0; rank < ranks.Size; start += _lengths[rank++])
        {
            if (rank == ranks.Rank && own is not null)
            {
                KeepOwn(own, all);
            }

            if (_lengths[rank] > 0)
            {
                BatchReader.Append(_bytes.AsSpan(start, _lengths[rank]), all);
            }
        }
    }

    private static void KeepOwn(Batch own, Batch all)
    {
        all.Positions.AddRange(own.Positions);
        all.Snapshot = own.Snapshot;
        own.Snapshot = null;
        foreach (TracedRecord record in own.Traces)
        {
            all.Traces.Add(record with { Example = record.Example + all.Count });
        }
    }
}
