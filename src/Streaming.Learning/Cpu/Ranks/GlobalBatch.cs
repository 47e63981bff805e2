using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>The batch of a step: the shares of all ranks in rank order. Every rank knows its predictions and negatives, and the steps
/// of its own share alone.</summary>
internal sealed class GlobalBatch(Collective ranks, ModelOptions model)
{
    private readonly ShareRecord[] _records = new ShareRecord[ranks.Size];
    private readonly int[] _ones = [.. Enumerable.Repeat(1, ranks.Size)];
    private readonly int[] _predictionCounts = new int[ranks.Size];
    private readonly int[] _negativeCounts = new int[ranks.Size];
    private readonly int[] _columnCounts = new int[ranks.Size];
    private ColumnItem[] _own = [];
    private ColumnItem[] _all = [];
    private int[] _positives = [];
    private int[] _negatives = [];
    private float[] _logQ = [];
    private float[] _negativeLogQ = [];

    /// <summary>Gets the number of predictions of each rank.</summary>
    public ReadOnlySpan<int> PredictionCounts => _predictionCounts;

    /// <summary>Gets the number of extra negatives of each rank.</summary>
    public ReadOnlySpan<int> NegativeCounts => _negativeCounts;

    /// <summary>Gets the number of predictions.</summary>
    public int Predictions { get; private set; }

    /// <summary>Gets the number of extra negatives.</summary>
    public int Negatives { get; private set; }

    /// <summary>Gets the number of predictions of the ranks before this one.</summary>
    public int FirstPrediction { get; private set; }

    /// <summary>Gets the number of steps of the ranks before this one.</summary>
    public int FirstStep { get; private set; }

    /// <summary>Gets the sum of the weights.</summary>
    public double Weight { get; private set; }

    /// <summary>Joins the shares of all ranks.</summary>
    /// <returns>The predictions and negatives of the whole batch; valid until the next call.</returns>
    /// <exception cref="ArgumentException">This share is invalid, or no rank has a prediction.</exception>
    /// <exception cref="InvalidOperationException">The share of another rank is invalid, or the ranks disagree about the step.</exception>
    public TrainingBatch Join(in TrainingBatch share)
    {
        ArgumentException? refusal = Check(share);
        ranks.Gather([new ShareRecord(share, refusal is not null)], _records, _ones);
        if (refusal is not null)
        {
            throw refusal;
        }

        Compare();
        Count();
        GatherItems(share);
        return new TrainingBatch
        {
            Positives = _positives.AsSpan(0, Predictions),
            LogQ = _logQ.AsSpan(0, Predictions),
            Negatives = _negatives.AsSpan(0, Negatives),
            NegativeLogQ = _negativeLogQ.AsSpan(0, Negatives),
            DrawnFrom = share.DrawnFrom,
            BankEntries = share.BankEntries,
            EnqueuePositives = share.EnqueuePositives,
            LearningRate = share.LearningRate,
            Step = share.Step,
        };
    }

    // A rank that threw at once would leave the others waiting for it.
    private ArgumentException? Check(in TrainingBatch share)
    {
        try
        {
            BatchCheck.VerifyShare(model, share);
            return null;
        }
        catch (ArgumentException exception)
        {
            return exception;
        }
    }

    private void Compare()
    {
        for (int rank = 0; rank < ranks.Size; rank++)
        {
            if (_records[rank].IsRefused != 0)
            {
                throw new InvalidOperationException($"Rank {rank} refused its share of the step; its own error says why.");
            }

            if (_records[rank].Settings != _records[0].Settings)
            {
                throw new InvalidOperationException(
                    $"The ranks disagree about the step: rank 0 has {_records[0].Settings}, rank {rank} has {_records[rank].Settings}."
                );
            }
        }
    }

    private void Count()
    {
        (Predictions, Negatives, FirstPrediction, FirstStep, Weight) = (0, 0, 0, 0, 0);
        for (int rank = 0; rank < ranks.Size; rank++)
        {
            ShareRecord record = _records[rank];
            if (rank < ranks.Rank)
            {
                FirstPrediction += record.Predictions;
                FirstStep += record.Steps;
            }

            Predictions += record.Predictions;
            Negatives += record.Negatives;
            Weight += record.Weight;
            _predictionCounts[rank] = record.Predictions;
            _negativeCounts[rank] = record.Negatives;
            _columnCounts[rank] = record.Negatives + record.Predictions;
        }

        if (Predictions == 0)
        {
            throw new ArgumentException("The batch has no predictions on any rank; at least one is required.");
        }
    }

    private void GatherItems(in TrainingBatch share)
    {
        int own = _columnCounts[ranks.Rank];
        Buffers.Grow(ref _own, own);
        Buffers.Grow(ref _all, Negatives + Predictions);
        for (int j = 0; j < share.Negatives.Length; j++)
        {
            _own[j] = new ColumnItem(share.Negatives[j], share.NegativeLogQ.IsEmpty ? 0 : share.NegativeLogQ[j]);
        }

        for (int i = 0; i < share.Positives.Length; i++)
        {
            _own[share.Negatives.Length + i] = new ColumnItem(share.Positives[i], share.LogQ.IsEmpty ? 0 : share.LogQ[i]);
        }

        ranks.Gather(_own.AsSpan(0, own), _all.AsSpan(0, Negatives + Predictions), _columnCounts);
        Split();
    }

    private void Split()
    {
        Buffers.Grow(ref _positives, Predictions);
        Buffers.Grow(ref _logQ, Predictions);
        Buffers.Grow(ref _negatives, Negatives);
        Buffers.Grow(ref _negativeLogQ, Negatives);
        int at = 0,
            negative = 0,
            positive = 0;
        for (int rank = 0; rank < ranks.Size; rank++)
        {
            for (int j = 0; j < _negativeCounts[rank]; j++)
            {
                (_negatives[negative], _negativeLogQ[negative++]) = _all[at++];
            }

            for (int i = 0; i < _predictionCounts[rank]; i++)
            {
                (_positives[positive], _logQ[positive++]) = _all[at++];
            }
        }
    }
}
