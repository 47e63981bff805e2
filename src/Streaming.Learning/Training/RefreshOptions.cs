using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>Which embeddings are posted to the serving tier, and when.</summary>
public sealed record RefreshOptions
{
    /// <summary>Gets the time within which every item is posted again, touched or not. Default 60 s; 1 s … 1 day.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets the maximum number of items touched by training that are posted in one collection; the rest wait for the next. The slice
    /// for <see cref="RefreshInterval"/> is additional. Default 50,000; 1 … 10,000,000.
    /// </summary>
    public int MaxTouched { get; init; } = 50_000;

    /// <summary>Validates every property.</summary>
    /// <exception cref="ArgumentException">Names every invalid property, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(RefreshInterval >= TimeSpan.FromSeconds(1) && RefreshInterval <= TimeSpan.FromDays(1), "Refresh.RefreshInterval", RefreshInterval, "00:00:01 … 1.00:00:00");
        errors.Check(MaxTouched is >= 1 and <= 10_000_000, "Refresh.MaxTouched", MaxTouched, "1 … 10000000");
        errors.Throw();
    }
}
