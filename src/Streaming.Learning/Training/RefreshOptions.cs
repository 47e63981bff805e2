using Streaming.Core.Options;

namespace Streaming.Learning.Training;

/// <summary>Which embeddings are posted to the serving tier, and when.</summary>
public sealed record RefreshOptions
{
    /// <summary>Gets the time within which every item that moved is posted again, touched or not. When the catalogue is too large for
    /// <see cref="MaxTimeShare"/>, it takes longer, and health, log and metrics say how long. Default 60 s; 1 s … 1 day.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets the maximum number of items changed by events or touched by training that are posted in one collection; the rest wait for
    /// the next. Default 50,000; 1 … 10,000,000.
    /// </summary>
    public int MaxTouched { get; init; } = 50_000;

    /// <summary>Gets the share of a core's time that looking for items that moved may take, and the share of the time that writing them to
    /// Redis may. What events changed does not count. Default 0.2; 0.01 … 1.</summary>
    public double MaxTimeShare { get; init; } = 0.2;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(RefreshInterval), RefreshInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        errors.Range(nameof(MaxTouched), MaxTouched, 1, 10_000_000);
        errors.Range(nameof(MaxTimeShare), MaxTimeShare, 0.01, 1);
        errors.Throw();
    }
}
