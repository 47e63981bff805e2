using Streaming.Core.Options;

namespace Streaming.Learning.Evaluation;

/// <summary>What prequential evaluation measures.</summary>
public sealed record PrequentialOptions
{
    /// <summary>Gets the cutoffs K. Default 10, 20, 50; increasing, each 1 … 10,000.</summary>
    public IReadOnlyList<int> Cutoffs { get; init; } = [10, 20, 50];

    /// <summary>Gets the length of the sliding window in examples of a segment. Default 5,000 (the window of the
    /// usual prequential plots, Vinagre et al. 2014); 1 … 1,000,000.</summary>
    public int Window { get; init; } = 5_000;

    /// <summary>Gets the number of examples at the start of the stream to exclude from the metrics. Default 0; 0 and up.</summary>
    public long SkipExamples { get; init; }

    /// <summary>Gets the share of the trainer's time that ranking may take. Where ranking every example would take more, a share of the
    /// examples is drawn at random; the metrics remain unbiased, and their standard errors are given. While the
    /// trainer is behind, so that batches grow, a quarter of the share. Default 0.2; 0.001 … 1, 1: rank
    /// every example.</summary>
    public double MaxTimeShare { get; init; } = 0.2;

    /// <summary>Validates every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(RankingMetrics.AreCutoffs(Cutoffs), nameof(Cutoffs), Cutoffs, RankingMetrics.AllowedCutoffs);
        errors.Range(nameof(Window), Window, 1, 1_000_000);
        errors.Check(SkipExamples >= 0, nameof(SkipExamples), SkipExamples, "0 and up");
        errors.Range(nameof(MaxTimeShare), MaxTimeShare, 0.001, 1);
        errors.Throw();
    }
}
