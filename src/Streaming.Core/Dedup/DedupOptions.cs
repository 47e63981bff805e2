namespace Streaming.Core.Dedup;

/// <summary>Bounds of the window within which a duplicate event is recognised by its event id.</summary>
public sealed class DedupOptions
{
    /// <summary>Gets or sets how many of the newest event ids are remembered. 0 … 100,000,000; 0 turns deduplication off. Default
    /// 1,000,000 (about 24 MB). Ids are stored as 64-bit hashes: with n ids remembered, a new event is mistaken for a duplicate
    /// with probability n / 2^64, here 5·10⁻¹⁴.</summary>
    public int Capacity { get; set; } = 1_000_000;

    /// <summary>Gets or sets how long an id is remembered, measured by the records' produced times. 1 s … 365 days. Default 1
    /// day.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Checks the bounds.</summary>
    /// <exception cref="ArgumentException">A value is out of bounds.</exception>
    public void Validate()
    {
        if (Capacity is < 0 or > 100_000_000)
        {
            throw new ArgumentException($"Dedup:Capacity is {Capacity}; allowed: 0 to 100,000,000.");
        }

        if (Window < TimeSpan.FromSeconds(1) || Window > TimeSpan.FromDays(365))
        {
            throw new ArgumentException($"Dedup:Window is {Window}; allowed: 1 second to 365 days.");
        }
    }
}
