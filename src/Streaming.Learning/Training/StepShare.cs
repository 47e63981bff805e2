using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>
/// The part of a step's batch that this rank computes: consecutive sequences with about 1/N of the steps, whichever rank read the
/// events, and 1/N of the negatives. The parts of all ranks in rank order are the batch.
/// </summary>
/// <param name="ranks">The ranks; each has the same batch.</param>
internal sealed class StepShare(Collective ranks)
{
    private int[] _offsets = [];
    private int[] _predictionSteps = [];

    /// <summary>The part of a batch; valid until the next call.</summary>
    public TrainingBatch Of(in TrainingBatch all)
    {
        if (ranks.Size == 1)
        {
            return all;
        }

        JaggedRows sequences = all.Sequences;
        int first = FirstSequence(sequences, ranks.Rank),
            end = FirstSequence(sequences, ranks.Rank + 1);
        int firstRow = sequences.Offsets[first],
            firstStep = firstRow + first;
        int firstPrediction = FirstPrediction(all.PredictionSteps, firstStep),
            predictions = FirstPrediction(all.PredictionSteps, sequences.Offsets[end] + end) - firstPrediction;
        Buffers.Grow(ref _offsets, end - first + 1);
        Buffers.Grow(ref _predictionSteps, predictions);
        for (int s = first; s <= end; s++)
        {
            _offsets[s - first] = sequences.Offsets[s] - firstRow;
        }

        for (int i = 0; i < predictions; i++)
        {
            _predictionSteps[i] = all.PredictionSteps[firstPrediction + i] - firstStep;
        }

        int firstNegative = Part(all.Negatives.Length, ranks.Rank),
            negatives = Part(all.Negatives.Length, ranks.Rank + 1) - firstNegative;
        TrainingBatch share = all;
        share.Sequences = new JaggedRows
        {
            Rows = sequences.Rows[firstRow..sequences.Offsets[end]],
            Offsets = _offsets.AsSpan(0, end - first + 1),
        };
        share.PredictionSteps = _predictionSteps.AsSpan(0, predictions);
        share.Positives = all.Positives.Slice(firstPrediction, predictions);
        share.Weights = all.Weights.Slice(firstPrediction, predictions);
        share.LogQ = all.LogQ.Slice(firstPrediction, predictions);
        share.Negatives = all.Negatives.Slice(firstNegative, negatives);
        share.NegativeLogQ = all.NegativeLogQ.IsEmpty ? [] : all.NegativeLogQ.Slice(firstNegative, negatives);
        return share;
    }

    private int Part(int count, int rank) => (int)((long)count * rank / ranks.Size);

    /// <summary>The first sequence that begins at or after a rank's part of all steps.</summary>
    private int FirstSequence(in JaggedRows sequences, int rank)
    {
        int step = Part(sequences.Offsets[^1] + sequences.Count, rank);
        int low = 0,
            high = sequences.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = sequences.Offsets[middle] + middle < step ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static int FirstPrediction(ReadOnlySpan<int> steps, int step)
    {
        int at = steps.BinarySearch(step);
        return at < 0 ? ~at : at;
    }
}
