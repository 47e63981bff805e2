using Streaming.Kernels.Simd;
using Streaming.Learning.Losses;
using Streaming.Learning.Ranks;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>Candidate vectors from the ranks that brought them to all, and their gradients back, summed over the ranks that scored
/// them.</summary>
internal sealed class ColumnExchange(Collective ranks, GlobalBatch batch, int d)
{
    private AlignedFloats _own = AlignedFloats.Empty;
    private AlignedFloats _all = AlignedFloats.Empty;

    /// <summary>Gathers the candidates of all ranks.</summary>
    /// <param name="own">The columns of this rank's share.</param>
    /// <param name="encoded">Item vectors by slot.</param>
    /// <returns>Vectors of the batch's negatives, then its positives [(U + B) × D].</returns>
    public ReadOnlySpan<float> Gather(CandidateColumns own, ReadOnlySpan<float> encoded)
    {
        Buffers.Grow(ref _own, own.Batch, d);
        Buffers.Grow(ref _all, batch.Negatives + batch.Predictions, d);
        int negatives = batch.NegativeCounts[ranks.Rank];
        for (int column = 0; column < own.Batch; column++)
        {
            encoded.Slice(own.Slots[column] * d, d).CopyTo(_own.AsSpan(Place(column, negatives, own.Batch) * d, d));
        }

        if (batch.Negatives > 0)
        {
            ranks.Gather<float>(_own.AsSpan(0, negatives * d), AllNegatives, batch.NegativeCounts, d);
        }

        ranks.Gather<float>(_own.AsSpan(negatives * d, (own.Batch - negatives) * d), AllPositives, batch.PredictionCounts, d);
        return _all.Span;
    }

    /// <summary>Sums the gradients of the candidates.</summary>
    /// <param name="gradients">In: by column of the batch. Out: the sums by column of this rank's share, in front.</param>
    public void Return(Span<float> gradients)
    {
        int negatives = batch.NegativeCounts[ranks.Rank],
            own = negatives + batch.PredictionCounts[ranks.Rank],
            all = batch.Negatives + batch.Predictions;
        if (batch.Negatives > 0)
        {
            ranks.SumScatter(gradients[..(batch.Negatives * d)], _own.AsSpan(0, negatives * d), batch.NegativeCounts, d);
        }

        for (int column = batch.Negatives; column < all; column++)
        {
            gradients.Slice(column * d, d).CopyTo(_all.AsSpan(Place(column, batch.Negatives, all) * d, d));
        }

        ranks.SumScatter(AllPositives, _own.AsSpan(negatives * d, (own - negatives) * d), batch.PredictionCounts, d);
        for (int column = 0; column < own; column++)
        {
            _own.AsSpan(Place(column, negatives, own) * d, d).CopyTo(gradients[(column * d)..]);
        }
    }

    private Span<float> AllNegatives => _all.AsSpan(0, batch.Negatives * d);

    private Span<float> AllPositives => _all.AsSpan(batch.Negatives * d, batch.Predictions * d);

    // Columns have the positives in reverse; ranks exchange them in order.
    private static int Place(int column, int negatives, int columns) => column < negatives ? column : negatives + columns - 1 - column;
}
