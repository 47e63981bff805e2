using Streaming.Core.Options;

namespace Streaming.Learning.Drift;

/// <summary>When the stream counts as having drifted: recall has dropped within a short time.</summary>
public sealed record DriftOptions
{
    /// <summary>Gets the number of newest scored examples whose recall is compared with that of those before. Default 500; 0 (off),
    /// 50 … 1,000,000.</summary>
    public int Window { get; init; } = 500;

    /// <summary>Gets the number of scored examples before the window, with which it is compared. Default 4,000; 50 … 1,000,000.</summary>
    public int Reference { get; init; } = 4_000;

    /// <summary>Gets the share of the earlier recall below which the window's counts as a drop. Default 0.25; above 0, below 1.</summary>
    public double MaxShare { get; init; } = 0.25;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(Window is 0 or (>= 50 and <= 1_000_000), nameof(Window), Window, "0 (off), or 50 … 1000000");
        errors.Range(nameof(Reference), Reference, 50, 1_000_000);
        errors.Check(MaxShare is > 0 and < 1, nameof(MaxShare), MaxShare, "above 0, below 1");
        errors.Throw();
    }
}
