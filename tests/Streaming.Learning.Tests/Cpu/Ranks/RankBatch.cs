using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Batches;

namespace Streaming.Learning.Tests.Cpu.Ranks;

/// <summary>The share of a batch that a rank gets: some of its sequences with their predictions, and some of its negatives.</summary>
internal sealed class RankBatch
{
    private readonly RandomBatch _whole;
    private readonly Range _sequences;
    private readonly int[] _offsets;
    private readonly int[] _steps;
    private readonly Range _predictions;
    private readonly Range _negatives;

    /// <summary>Cuts a share.</summary>
    /// <param name="whole">The batch.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="cuts">First sequence of each rank, as a share of 100, then 100.</param>
    public RankBatch(RandomBatch whole, int rank, int[] cuts)
    {
        _whole = whole;
        int sequences = whole.Offsets.Length - 1;
        _sequences = (sequences * cuts[rank] / 100)..(sequences * cuts[rank + 1] / 100);
        _negatives = (whole.Negatives.Length * cuts[rank] / 100)..(whole.Negatives.Length * cuts[rank + 1] / 100);
        (int first, int end) = (_sequences.Start.Value, _sequences.End.Value);
        _offsets = [.. whole.Offsets[first..(end + 1)].Select(offset => offset - whole.Offsets[first])];
        int firstStep = whole.Offsets[first] + first,
            endStep = whole.Offsets[end] + end;
        _predictions = whole.Steps.Count(step => step < firstStep)..whole.Steps.Count(step => step < endStep);
        _steps = [.. whole.Steps[_predictions].Select(step => step - firstStep)];
    }

    public TrainingBatch Batch
    {
        get
        {
            TrainingBatch batch = _whole.Batch;
            batch.Sequences = new JaggedRows { Rows = Rows, Offsets = _offsets };
            batch.PredictionSteps = _steps;
            batch.Positives = _whole.Positives.AsSpan()[_predictions];
            batch.Weights = _whole.Weights.AsSpan()[_predictions];
            batch.LogQ = _whole.LogQ.AsSpan()[_predictions];
            batch.Negatives = _whole.Negatives.AsSpan()[_negatives];
            batch.NegativeLogQ = _whole.NegativeLogQ.AsSpan()[_negatives];
            return batch;
        }
    }

    private ReadOnlySpan<int> Rows => _whole.Rows.AsSpan(_whole.Offsets[_sequences.Start]..(_whole.Offsets[_sequences.End]));
}
