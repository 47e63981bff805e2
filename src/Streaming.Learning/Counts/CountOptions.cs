using Streaming.Models.Options;

namespace Streaming.Learning.Counts;

/// <summary>How co-occurrences and transitions of items are counted beside the model (<see cref="ItemCounts"/>).</summary>
public sealed record CountOptions
{
    /// <summary>Gets the most bytes that the lists of counts take; 0: nothing is counted. A list has 8 to 512 entries of 16 bytes
    /// and grows while there is room. Default 100,000,000; 0 … 1,000,000,000,000.</summary>
    public long MaxBytes { get; init; } = 100_000_000;

    /// <summary>Gets how many of a user's latest items an event is counted with. Default 10; 1 … 256.</summary>
    public int Window { get; init; } = 10;

    /// <summary>Gets the half-life of a count in events of the stream. Default 1,000,000; 1,000 and up; 1e18: nothing fades.</summary>
    public double HalfLife { get; init; } = 1_000_000;

    /// <summary>Gets how many neighbors and how many successors of an item are published with its embedding, 12 bytes each, for serving
    /// tiers that rank by counts too. Default 50; 0 (none) … 1,024.</summary>
    public int Published { get; init; } = 50;

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(MaxBytes is >= 0 and <= 1_000_000_000_000, nameof(MaxBytes), MaxBytes, "0 … 1000000000000");
        errors.Check(Window is >= 1 and <= 256, nameof(Window), Window, "1 … 256");
        errors.Check(HalfLife >= 1_000, nameof(HalfLife), HalfLife, "1000 and up");
        errors.Check(Published is >= 0 and <= 1024, nameof(Published), Published, "0 … 1024");
        errors.Throw();
    }
}
