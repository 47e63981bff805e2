using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>Which embeddings are posted to the serving tier when.</summary>
public sealed record RefreshOptions
{
    /// <summary>Gets the time within which every item is posted again, touched or not. Default 60 s; 1 s … 1 day.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets how many items touched by training are posted in one collection; the rest wait for the next. The slice that
    /// keeps <see cref="RefreshInterval"/> comes on top. Default 50,000; 1 … 10,000,000.
    /// </summary>
    public int MaxTouched { get; init; } = 50_000;

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(RefreshInterval >= TimeSpan.FromSeconds(1) && RefreshInterval <= TimeSpan.FromDays(1), "Refresh.RefreshInterval", RefreshInterval, "00:00:01 … 1.00:00:00");
        errors.Check(MaxTouched is >= 1 and <= 10_000_000, "Refresh.MaxTouched", MaxTouched, "1 … 10000000");
        errors.Throw();
    }
}
