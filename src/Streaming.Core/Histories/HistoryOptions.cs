namespace Streaming.Core.Histories;

/// <summary>Bounds of the per-user histories.</summary>
public sealed class HistoryOptions
{
    /// <summary>Gets or sets the number of newest items kept per user, at least as many as the model reads. They decide whether an
    /// item is new to a user or a repeat; new items are ranked with these excluded. 1 … 1024. Default 256.</summary>
    public int Length { get; set; } = 256;

    /// <summary>Gets or sets the number of users kept; beyond it the least recently active one is evicted. 1 … 100,000,000.
    /// Default 1,000,000. A user costs about 40 bytes plus 16 per kept item, rounded up to a power of four items.</summary>
    public int MaxUsers { get; set; } = 1_000_000;

    /// <summary>Checks the bounds.</summary>
    /// <exception cref="ArgumentException">A value is out of bounds.</exception>
    public void Validate()
    {
        if (Length is < 1 or > HistoryStore.MaxLength)
        {
            throw new ArgumentException($"History:Length is {Length}; allowed: 1 to 1024.");
        }

        if (MaxUsers is < 1 or > 100_000_000)
        {
            throw new ArgumentException($"History:MaxUsers is {MaxUsers}; allowed: 1 to 100,000,000.");
        }
    }
}
