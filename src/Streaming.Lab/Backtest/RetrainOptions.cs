using Streaming.Core.Options;

namespace Streaming.Lab.Backtest;

/// <summary>What a scheduled training starts from.</summary>
internal enum RetrainStart
{
    /// <summary>The model of the training before.</summary>
    Warm,

    /// <summary>An untrained model.</summary>
    Cold,
}

/// <summary>The scheduled training that a model on a stream is compared with.</summary>
internal sealed record RetrainOptions
{
    /// <summary>Gets the interval of event time between trainings, from the first event on. Default empty: no scheduled training;
    /// 1m and up.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>Gets the number of passes over all earlier events in each training. Default 2; 1 … 1,000.</summary>
    public int Passes { get; init; } = 2;

    /// <summary>Gets what each training starts from. Default <see cref="RetrainStart.Warm"/>.</summary>
    public RetrainStart Start { get; init; } = RetrainStart.Warm;

    /// <summary>Gets the number of predictions per step; the last sequence of a step may exceed it. Default 1,024; 1 …
    /// 65,536.</summary>
    public int BatchSize { get; init; } = 1_024;

    /// <summary>Gets the peak of the learning rate: each training rises to it over its first tenth, then falls to 0 along a cosine.
    /// Default 0.01; above 0, at most 1.</summary>
    public float LearningRate { get; init; } = 0.01f;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(Every is null || Every >= TimeSpan.FromMinutes(1), nameof(Every), Every, "1m and up, such as 1d or 7d");
        errors.Range(nameof(Passes), Passes, 1, 1_000);
        errors.Defined(nameof(Start), Start);
        errors.Range(nameof(BatchSize), BatchSize, 1, 65_536);
        errors.Check(LearningRate is > 0 and <= 1, nameof(LearningRate), LearningRate, "above 0, at most 1");
        errors.Throw();
    }
}
