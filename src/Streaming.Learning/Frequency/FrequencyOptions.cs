using System.Numerics;
using Streaming.Core.Options;

namespace Streaming.Learning.Frequency;

/// <summary>Settings of the streaming frequency estimator.</summary>
public sealed record FrequencyOptions
{
    /// <summary>Gets the number of hash tables, m. More tables resolve more collisions, unless the slots are crowded. Default
    /// 2; 1 … 8.</summary>
    public int Tables { get; init; } = 2;

    /// <summary>Gets the number of slots per table, H. Default 0: the power of two at or above twice the item
    /// capacity. Otherwise 16 … 2^28.</summary>
    public int Slots { get; init; }

    /// <summary>Gets the learning rate α of the gaps: higher values adapt faster but leave more noise. Default 0.01; above 0,
    /// at most 1.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>
    /// Gets the gap assumed at an item's first occurrence, in batches. Default 0: as many draws as there are items so far (all
    /// equally popular). Otherwise 1 … 10^9.
    /// </summary>
    public double PriorGap { get; init; }

    /// <summary>
    /// Gets whether the first gaps of an item are averaged evenly (weight 1/(n+1) until that falls to α), so that the prior fades
    /// after a few occurrences instead of after 1/α. Default true.
    /// </summary>
    public bool AverageFirstGaps { get; init; } = true;

    /// <summary>Gets whether the gap since the last occurrence counts when it exceeds the mean gap, so that an item that no longer
    /// occurs loses its frequency. Default true.</summary>
    public bool CountSilence { get; init; } = true;

    /// <summary>
    /// Gets whether every slot starts as if its item had occurred at time 0 with the prior gap, as in the published Algorithm 2,
    /// instead of taking the prior at the first occurrence. For comparison with the paper. Default false.
    /// </summary>
    public bool StartAtZero { get; init; }

    /// <summary>Gets the number of slots for a table of items.</summary>
    /// <param name="itemCapacity">Rows of the item table.</param>
    public int SlotsFor(int itemCapacity) =>
        Slots > 0 ? Slots : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(itemCapacity, 512, 1 << 26) * 2);

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Tables), Tables, 1, 8);
        errors.Check(Slots is 0 or (>= 16 and <= 1 << 28), nameof(Slots), Slots, "0 (automatic) or 16 … 268435456");
        errors.Check(Alpha is > 0 and <= 1, nameof(Alpha), Alpha, "above 0, at most 1");
        errors.Check(PriorGap is 0 or (>= 1 and <= 1e9), nameof(PriorGap), PriorGap, "0 (automatic) or 1 … 1000000000");
        errors.Check(!StartAtZero || PriorGap >= 1, nameof(PriorGap), PriorGap, "1 … 1000000000 with StartAtZero");
        errors.Throw();
    }
}
