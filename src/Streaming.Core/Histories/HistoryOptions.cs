using Streaming.Core.Options;

namespace Streaming.Core.Histories;

/// <summary>Bounds of the per-user histories.</summary>
public sealed record HistoryOptions
{
    /// <summary>Gets the number of newest items kept of each user, at least what the model reads. Whether an item is new to
    /// a user or a repeat is told by these, and new items are ranked without them. 1 … 1024. Default 256.</summary>
    public int Length { get; init; } = 256;

    /// <summary>Gets the number of users kept; beyond it the least recently active one is forgotten. 1 … 100,000,000.
    /// Default 1,000,000. A user costs about 40 bytes and 16 for each kept item, rounded up to a power of four items.</summary>
    public int MaxUsers { get; init; } = 1_000_000;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Length), Length, 1, HistoryStore.MaxLength);
        errors.Range(nameof(MaxUsers), MaxUsers, 1, 100_000_000);
        errors.Throw();
    }
}
