using Streaming.Core.Options;

namespace Streaming.Worker.Generations;

/// <summary>When readers switch to a new generation.</summary>
public sealed record GenerationOptions
{
    /// <summary>Gets how readers switch: Auto, by the new generation's worker, once, when the checks below pass; Manual, with
    /// `streaming generation switch`. Default Auto.</summary>
    public GenerationSwitching Switch { get; init; } = GenerationSwitching.Auto;

    /// <summary>Gets by which share the new generation's Recall@20 and item count may fall short of the old one's.
    /// Default 0.05, about two standard errors over 5,000 events; 0 … 1.</summary>
    public double Tolerance { get; init; } = 0.05;

    /// <summary>Gets the minimum number of events over which the new generation's recall was measured, at most the window of
    /// `STREAMING__Training__Evaluation__Window`. Default 5,000; 1 … 1,000,000.</summary>
    public int MinExamples { get; init; } = 5_000;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Defined(nameof(Switch), Switch);
        errors.Range(nameof(Tolerance), Tolerance, 0, 1);
        errors.Range(nameof(MinExamples), MinExamples, 1, 1_000_000);
        errors.Throw();
    }
}
