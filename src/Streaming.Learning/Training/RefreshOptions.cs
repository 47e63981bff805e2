using Streaming.Core.Options;

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

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(RefreshInterval), RefreshInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        errors.Range(nameof(MaxTouched), MaxTouched, 1, 10_000_000);
        errors.Throw();
    }
}
