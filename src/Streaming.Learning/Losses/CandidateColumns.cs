using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Losses;

/// <summary>
/// The candidate columns of a batch, and the column of each prediction's positive. The columns are the extra negatives, then the
/// positives, last one first, as the bank requires.
/// </summary>
internal sealed class CandidateColumns(LossKind loss)
{
    // An id that no item has: under the uniform loss all positives share it, so that those of other rows are masked.
    private const int OwnOnly = int.MaxValue;
    private readonly RowSlots _catalogue = new();
    private int[] _slots = [];
    private int[] _positives = [];
    private int _predictions;

    /// <summary>Gets the number of columns with gradient: extra negatives and positives.</summary>
    public int Batch { get; private set; }

    /// <summary>Gets how many of <see cref="Batch"/> are candidates: all, except that under the full loss only the catalogue is.</summary>
    public int Scored { get; private set; }

    /// <summary>Gets the column of each prediction's positive.</summary>
    public ReadOnlySpan<int> Positives => _positives.AsSpan(0, _predictions);

    /// <summary>Gets the slot of each column of the batch.</summary>
    public ReadOnlySpan<int> Slots => _slots.AsSpan(0, Batch);

    /// <summary>Plans the columns of a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="slots">Assigns the items their slots. Null: no item is shared, and the vectors will come in the order of the
    /// negatives, then the positives.</param>
    public void Plan(in TrainingBatch batch, RowSlots? slots)
    {
        int negatives = batch.Negatives.Length,
            positives = batch.Positives.Length;
        Batch = negatives + positives;
        Scored = loss == LossKind.Full ? negatives : Batch;
        Buffers.Grow(ref _slots, Batch);
        Buffers.Grow(ref _positives, positives);
        _predictions = positives;

        for (int j = 0; j < negatives; j++)
        {
            _slots[j] = slots?.Add(batch.Negatives[j]) ?? j;
        }

        for (int i = 0; i < positives; i++)
        {
            int column = Batch - 1 - i;
            _slots[column] = slots?.Add(batch.Positives[i]) ?? negatives + i;
            _positives[i] = column;
        }

        if (loss == LossKind.Full)
        {
            FindInCatalogue(batch);
        }
    }

    /// <summary>Writes the columns' vectors, ids and ln q.</summary>
    public void Fill(in TrainingBatch batch, ReadOnlySpan<float> items, int d, Span<float> vectors, Span<int> ids, Span<float> logQ)
    {
        for (int column = 0; column < Batch; column++)
        {
            items.Slice(_slots[column] * d, d).CopyTo(vectors[(column * d)..]);
        }

        batch.Negatives.CopyTo(ids);
        Copy(batch.NegativeLogQ, logQ[..batch.Negatives.Length]);
        for (int i = 0; i < batch.Positives.Length; i++)
        {
            int column = Batch - 1 - i;
            ids[column] = loss == LossKind.Uniform ? OwnOnly : batch.Positives[i];
            logQ[column] = batch.LogQ.IsEmpty ? 0 : batch.LogQ[i];
        }
    }

    private static void Copy(ReadOnlySpan<float> values, Span<float> destination)
    {
        if (values.IsEmpty)
        {
            destination.Clear();
        }
        else
        {
            values.CopyTo(destination);
        }
    }

    private void FindInCatalogue(in TrainingBatch batch)
    {
        _catalogue.Clear();
        for (int j = 0; j < batch.Negatives.Length; j++)
        {
            if (_catalogue.Add(batch.Negatives[j]) != j)
            {
                throw new ArgumentException(
                    $"Negatives contains row {batch.Negatives[j]} twice; with loss Full it must be the catalogue, each row once."
                );
            }
        }

        for (int i = 0; i < batch.Positives.Length; i++)
        {
            _positives[i] = _catalogue.IndexOf(batch.Positives[i]);
            if (_positives[i] < 0)
            {
                throw new ArgumentException(
                    $"Positives contains row {batch.Positives[i]}, which is not in Negatives; with loss Full these must be the whole "
                        + "catalogue."
                );
            }
        }
    }
}
