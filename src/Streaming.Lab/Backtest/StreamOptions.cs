using Streaming.Core.Options;

namespace Streaming.Lab.Backtest;

/// <summary>How a stream of recorded events is run through the trainer.</summary>
internal sealed record StreamOptions
{
    /// <summary>Gets the number of events of a batch: each is ranked with the model as of the batch before. Default 64; 1 … 65,536.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Gets the share of the events at the beginning that is learned from but not measured. Default 0.1; 0 … below 1.</summary>
    public double SkipShare { get; init; } = 0.1;

    /// <summary>Gets which batches are ranked before they are learned: every n-th. Ranking the whole catalogue costs more than
    /// learning where it is large. Default 1; 1 … 1,000.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(BatchSize), BatchSize, 1, 65_536);
        errors.Range(nameof(EvaluateEvery), EvaluateEvery, 1, 1_000);
        errors.Check(SkipShare is >= 0 and < 1, nameof(SkipShare), SkipShare, "0 … below 1");
        errors.Throw();
    }
}
