using Streaming.Core.Options;
using Streaming.Learning.Bank;
using Streaming.Learning.Counts;
using Streaming.Learning.Drift;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Frequency;
using Streaming.Learning.Items;
using Streaming.Learning.Replay;
using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>Settings of training outside the engine.</summary>
public sealed record TrainerOptions
{
    /// <summary>Gets the learning rate by step.</summary>
    public LearningRateOptions LearningRate { get; init; } = new();

    /// <summary>Gets which items get rows.</summary>
    public ItemTableOptions Items { get; init; } = new();

    /// <summary>Gets the frequency estimator's settings.</summary>
    public FrequencyOptions Frequency { get; init; } = new();

    /// <summary>Gets when the memory bank is used.</summary>
    public BankOptions Bank { get; init; } = new();

    /// <summary>Gets the experience replay's settings.</summary>
    public ReplayOptions Replay { get; init; } = new();

    /// <summary>Gets how co-occurrences and transitions are counted next to the model.</summary>
    public CountOptions Counts { get; init; } = new();

    /// <summary>Gets when the stream counts as having drifted.</summary>
    public DriftOptions Drift { get; init; } = new();

    /// <summary>Gets what is published when.</summary>
    public RefreshOptions Refresh { get; init; } = new();

    /// <summary>Gets what prequential evaluation measures.</summary>
    public PrequentialOptions Evaluation { get; init; } = new();

    /// <summary>
    /// Gets which examples are scored before training. Default 0: a random share of them, as many as
    /// <see cref="PrequentialOptions.MaxTimeShare"/> allows; all where batches do not depend on the clock (an infinite
    /// linger) and in `streaming-lab demo`. 1: all, whatever it costs; n, up to 1,000,000: all of every n-th batch;
    /// −1: none.
    /// </summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Gets the number of threads that score the catalogue. Default: the number of processors, at most 16. 1 … 256.</summary>
    public int EvaluationThreads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 16);

    /// <summary>Gets the half-life in events of the popularity baseline that is evaluated next to the model. Default 5,000;
    /// above 0; 1e9: no decay.</summary>
    public double PopularityHalfLife { get; init; } = 5_000;

    /// <summary>Gets the number of uniformly drawn negatives per step, for the losses <c>Uniform</c>, <c>Mns</c> and <c>Union</c>.
    /// Default 1,024; 0 (none; not with <c>Uniform</c>) … 1,048,576.</summary>
    public int UniformNegatives { get; init; } = 1_024;

    /// <summary>Gets the number of consecutive steps with a non-finite loss after which training fails. Default 10; 1 … 1,000.</summary>
    public int MaxNonFiniteSteps { get; init; } = 10;

    /// <summary>Validates every property.</summary>
    /// <param name="model">The model to be trained.</param>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate(ModelOptions model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var errors = new OptionErrors();
        errors.Include(nameof(LearningRate), LearningRate.Validate);
        errors.Include(nameof(Items), () => Items.Validate(model.ItemCapacity));
        errors.Include(nameof(Frequency), Frequency.Validate);
        errors.Include(nameof(Bank), Bank.Validate);
        errors.Include(nameof(Replay), Replay.Validate);
        errors.Include(nameof(Counts), Counts.Validate);
        errors.Include(nameof(Drift), Drift.Validate);
        errors.Include(nameof(Refresh), Refresh.Validate);
        errors.Include(nameof(Evaluation), Evaluation.Validate);
        errors.Check(
            EvaluateEvery is >= -1 and <= 1_000_000,
            nameof(EvaluateEvery),
            EvaluateEvery,
            "-1 (never), 0 (automatic) or 1 … 1000000"
        );
        errors.Range(nameof(EvaluationThreads), EvaluationThreads, 1, 256);
        errors.Check(PopularityHalfLife > 0, nameof(PopularityHalfLife), PopularityHalfLife, "above 0");
        errors.Range(nameof(UniformNegatives), UniformNegatives, model.Loss == LossKind.Uniform ? 1 : 0, 1_048_576);
        errors.Range(nameof(MaxNonFiniteSteps), MaxNonFiniteSteps, 1, 1_000);
        errors.Throw();
    }
}
