using Streaming.Core.Options;
using Streaming.Learning.Training;

namespace Streaming.Lab.Backtest;

/// <summary>Training in offline protocols: many passes over recorded sequences.</summary>
internal sealed record OfflineOptions
{
    /// <summary>Gets the maximum number of passes over the training sequences. Default 24; 1 … 10,000.</summary>
    public int Epochs { get; init; } = 24;

    /// <summary>Gets how many epochs without a better validation NDCG@10 stop training. Default 8; 1 and up.</summary>
    public int Patience { get; init; } = 8;

    /// <summary>Gets whether to keep the model of the last epoch instead of the best by validation, without early
    /// stopping: for sets with too few validation cases to choose by. Default false.</summary>
    public bool KeepLast { get; init; }

    /// <summary>Gets the number of sequences per step; each predicts every one of its items. Default 128; 1 … 65,536.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Gets the learning rate. Default 0.001; above 0, at most 1.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    /// <summary>Gets the number of warmup steps over which the learning rate rises from 0. Default 100; 0 and up.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>
    /// Gets whether the learning rate decays to 0 along a cosine over <see cref="Epochs"/>. Default true; false: constant.
    /// </summary>
    public bool Cosine { get; init; } = true;

    /// <summary>Gets the number of uniform negatives per step (uniform, mns and union losses). Default 1,024; 1 … 1,000,000.</summary>
    public int UniformNegatives { get; init; } = 1_024;

    /// <summary>Gets the step at which the memory bank starts to be used (cbns and union losses). Default 500; 0 and up.</summary>
    public int BankWarmupSteps { get; init; } = 500;

    /// <summary>Gets how many validation cases are ranked after an epoch, a fixed random sample. Default 0: all; 0 and up.</summary>
    public int ValidationCases { get; init; }

    /// <summary>Returns the learning rate schedule.</summary>
    /// <param name="totalSteps">Number of steps of all epochs.</param>
    public LearningRateOptions Schedule(long totalSteps) =>
        new()
        {
            Peak = LearningRate,
            WarmupSteps = WarmupSteps,
            Shape = Cosine ? LearningRateShape.Cosine : LearningRateShape.Constant,
            TotalSteps = totalSteps,
        };

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Epochs), Epochs, 1, 10_000);
        errors.Check(Patience >= 1, nameof(Patience), Patience, "1 and up");
        errors.Range(nameof(BatchSize), BatchSize, 1, 65_536);
        errors.Check(LearningRate is > 0 and <= 1, nameof(LearningRate), LearningRate, "above 0, at most 1");
        errors.Check(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "0 and up");
        errors.Range(nameof(UniformNegatives), UniformNegatives, 1, 1_000_000);
        errors.Check(BankWarmupSteps >= 0, nameof(BankWarmupSteps), BankWarmupSteps, "0 and up");
        errors.Check(ValidationCases >= 0, nameof(ValidationCases), ValidationCases, "0 and up");
        errors.Throw();
    }
}
