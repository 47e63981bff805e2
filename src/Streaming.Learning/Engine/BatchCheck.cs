using Streaming.Models.Batches;
using Streaming.Models.Options;

namespace Streaming.Learning.Engine;

/// <summary>Validates a batch before an engine changes anything.</summary>
public static class BatchCheck
{
    /// <summary>Verifies a batch against the model.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="batch">The batch.</param>
    /// <exception cref="ArgumentException">The batch is invalid; the message says how.</exception>
    public static void Verify(ModelOptions model, in TrainingBatch batch)
    {
        Sequences(model, batch.Sequences);
        if (batch.Positives.IsEmpty)
        {
            throw new ArgumentException("The batch has no predictions; at least one is required.");
        }

        Values(model, batch);
    }

    /// <summary>Verifies a share of a batch: as <see cref="Verify"/>, but it may have no sequences (<c>Offsets</c> is [0]) and then no
    /// predictions.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="share">The share.</param>
    /// <exception cref="ArgumentException">The share is invalid; the message says how.</exception>
    public static void VerifyShare(ModelOptions model, in TrainingBatch share)
    {
        if (share.Sequences.Offsets is [0] && share.Sequences.Rows.IsEmpty && share.Positives.IsEmpty)
        {
            Values(model, share);
        }
        else
        {
            Verify(model, share);
        }
    }

    private static void Values(ModelOptions model, in TrainingBatch batch)
    {
        int predictions = batch.Positives.Length;
        Length(batch.PredictionSteps.Length, predictions, nameof(batch.PredictionSteps));
        Length(batch.Weights.Length, predictions, nameof(batch.Weights));
        Weights(batch.Weights);
        if (!batch.LogQ.IsEmpty)
        {
            Length(batch.LogQ.Length, predictions, nameof(batch.LogQ));
        }

        if (!batch.NegativeLogQ.IsEmpty)
        {
            Length(batch.NegativeLogQ.Length, batch.Negatives.Length, nameof(batch.NegativeLogQ));
        }

        Rows(model, batch.Positives, nameof(batch.Positives));
        Rows(model, batch.Negatives, nameof(batch.Negatives));
        Steps(model, batch);
        if (!(batch.LearningRate >= 0) || !float.IsFinite(batch.LearningRate))
        {
            throw new ArgumentException($"LearningRate is {batch.LearningRate}; allowed: finite, 0 and up.");
        }

        if (batch.LearningRate * Math.Max(model.WeightDecay, model.IdWeightDecay) >= 1)
        {
            throw new ArgumentException(
                $"LearningRate is {batch.LearningRate} with weight decay {Math.Max(model.WeightDecay, model.IdWeightDecay)}; allowed: a "
                    + "product below 1, because a step subtracts that share of every weight."
            );
        }

        ArgumentOutOfRangeException.ThrowIfNegative(batch.BankEntries);
        ArgumentOutOfRangeException.ThrowIfNegative(batch.DrawnFrom);
        ArgumentOutOfRangeException.ThrowIfNegative(batch.Step);
    }

    /// <summary>Validates histories.</summary>
    public static void Sequences(ModelOptions model, in JaggedRows sequences)
    {
        ReadOnlySpan<int> offsets = sequences.Offsets;
        if (offsets.Length < 2 || offsets[0] != 0 || offsets[^1] != sequences.Rows.Length)
        {
            throw new ArgumentException(
                $"Sequences has {offsets.Length} offsets for {sequences.Rows.Length} rows; allowed: one sequence and up, offsets from 0 "
                    + "to the number of rows."
            );
        }

        for (int s = 1; s < offsets.Length; s++)
        {
            int length = offsets[s] - offsets[s - 1];
            if (length < 0 || length > model.HistoryLength)
            {
                throw new ArgumentException($"Sequence {s - 1} has {length} items; allowed: 0 … HistoryLength = {model.HistoryLength}.");
            }
        }

        Rows(model, sequences.Rows, "Sequences");
    }

    /// <summary>Validates rows of the item table.</summary>
    public static void Rows(ModelOptions model, ReadOnlySpan<int> rows, string name)
    {
        foreach (int row in rows)
        {
            if ((uint)row >= (uint)model.ItemCapacity)
            {
                throw new ArgumentException($"{name} contains row {row}; allowed: 0 … ItemCapacity − 1 = {model.ItemCapacity - 1}.");
            }
        }
    }

    private static void Weights(ReadOnlySpan<float> weights)
    {
        foreach (float weight in weights)
        {
            if (!(weight >= 0) || !float.IsFinite(weight))
            {
                throw new ArgumentException($"Weights contains {weight}; allowed: finite, 0 and up.");
            }
        }
    }

    private static void Steps(ModelOptions model, in TrainingBatch batch)
    {
        int steps = batch.Sequences.Rows.Length + batch.Sequences.Count,
            previous = -1;
        foreach (int step in batch.PredictionSteps)
        {
            if (step <= previous || step >= steps)
            {
                throw new ArgumentException(
                    $"PredictionSteps contains {step} after {previous}; allowed: ascending, below the {steps} steps of the batch."
                );
            }

            previous = step;
        }

        if (model.Tower == TowerKind.Mind)
        {
            LastSteps(batch);
        }
    }

    // Routing uses a whole history at once: there is no vector for an inner step.
    private static void LastSteps(in TrainingBatch batch)
    {
        int sequence = 0;
        foreach (int step in batch.PredictionSteps)
        {
            while (batch.Sequences.Offsets[sequence + 1] + sequence < step)
            {
                sequence++;
            }

            if (batch.Sequences.Offsets[sequence + 1] + sequence != step)
            {
                throw new ArgumentException(
                    $"PredictionSteps contains {step}, which is not the last step of a sequence; the Mind tower predicts only there."
                );
            }
        }
    }

    private static void Length(int length, int expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{name} has {length} values; expected: {expected}, one per positive.");
        }
    }

    /// <summary>Validates the features of an item.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="row">The item's row.</param>
    /// <param name="features">Its features, all groups concatenated.</param>
    /// <exception cref="ArgumentException">The row, the length or a value is invalid; the message names it.</exception>
    public static void Features(ModelOptions model, int row, ReadOnlySpan<float> features)
    {
        Rows(model, [row], nameof(row));
        ArgumentOutOfRangeException.ThrowIfNotEqual(features.Length, model.FeatureLength, nameof(features));
        foreach (float value in features)
        {
            if (!float.IsFinite(value))
            {
                throw new ArgumentException($"features of row {row} contain {value}; allowed: finite values.", nameof(features));
            }
        }
    }
}
