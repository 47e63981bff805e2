using Streaming.Core.Options;

namespace Streaming.Learning.Counts;

/// <summary>How co-occurrences and transitions of items are counted next to the model (<see cref="ItemCounts"/>).</summary>
public sealed record CountOptions
{
    /// <summary>Gets the maximum size of the count lists in bytes; 0 disables counting. A list has 8 to 512 entries of 16 bytes and
    /// grows while there is room. Default 100,000,000; 0 … 1,000,000,000,000.</summary>
    public long MaxBytes { get; init; } = 100_000_000;

    /// <summary>Gets the number of a user's latest items that an event is counted with. Default 10; 1 … 256.</summary>
    public int Window { get; init; } = 10;

    /// <summary>Gets the half-life of a count in events of the stream. Default 1,000,000; 1,000 and up; 1e18: no decay.</summary>
    public double HalfLife { get; init; } = 1_000_000;

    /// <summary>Gets how many neighbors and how many successors of an item are published with its embedding, 12 bytes each, for serving
    /// tiers that rank by counts too. Default 50; 0 (none) … 1,024.</summary>
    public int Published { get; init; } = 50;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(MaxBytes), MaxBytes, 0, 1_000_000_000_000);
        errors.Range(nameof(Window), Window, 1, 256);
        errors.Check(HalfLife >= 1_000, nameof(HalfLife), HalfLife, "1000 and up");
        errors.Check(Published is >= 0 and <= 1024, nameof(Published), Published, "0 … 1024");
        errors.Throw();
    }
}
