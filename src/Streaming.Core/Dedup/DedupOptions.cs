using Streaming.Core.Options;

namespace Streaming.Core.Dedup;

/// <summary>Bounds of the window within which a duplicate event is recognised by its event id.</summary>
public sealed record DedupOptions
{
    /// <summary>Gets how many event ids are remembered, newest first. 0 … 100,000,000; 0: duplicates are not looked
    /// for. Default 1,000,000 (about 24 MB). Ids are kept as 64-bit hashes: with n ids remembered, a new event is taken
    /// for a duplicate with odds n / 2^64, here 5·10⁻¹⁴.</summary>
    public int Capacity { get; init; } = 1_000_000;

    /// <summary>Gets for how long an id is remembered, by the records' produced times. 1 s … 365 days. Default 1 day.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Capacity), Capacity, 0, 100_000_000);
        errors.Range(nameof(Window), Window, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
        errors.Throw();
    }
}
