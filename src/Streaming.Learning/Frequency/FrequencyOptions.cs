using System.Numerics;
using Streaming.Core.Options;

namespace Streaming.Learning.Frequency;

/// <summary>Settings of the streaming frequency estimator.</summary>
public sealed record FrequencyOptions
{
    /// <summary>Gets the number of hash tables, m. More see through collisions, unless the slots are crowded. Default 2; 1 … 8.</summary>
    public int Tables { get; init; } = 2;

    /// <summary>Gets the number of slots of a table, H. Default 0: the power of two at or above twice the item
    /// capacity. Otherwise 16 … 2^28.</summary>
    public int Slots { get; init; }

    /// <summary>Gets the learning rate α of the gaps: higher adapts faster and errs more in the end. Default 0.01; above 0, at most 1.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>
    /// Gets the gap assumed of an item at its first sight, in batches. Default 0: as many draws as there are items so far
    /// (all alike popular). Otherwise 1 … 10^9.
    /// </summary>
    public double PriorGap { get; init; }

    /// <summary>
    /// Gets whether the first gaps of an item are averaged evenly (weight 1/(n+1) until that falls to α), so that the
    /// prior fades after a few sights instead of after 1/α. Default true.
    /// </summary>
    public bool AverageFirstGaps { get; init; } = true;

    /// <summary>Gets whether the gap since the last sight counts when it is longer than the mean gap, so that an item
    /// that is gone does not keep its frequency. Default true.</summary>
    public bool CountSilence { get; init; } = true;

    /// <summary>
    /// Gets whether every slot starts as if its item had been seen at time 0 with the prior gap, as Algorithm 2 is
    /// printed, instead of taking the prior at the first sight. For comparison with the paper. Default false.
    /// </summary>
    public bool StartAtZero { get; init; }

    /// <summary>Gets the number of slots for a table of items.</summary>
    /// <param name="itemCapacity">Rows of the item table.</param>
    public int SlotsFor(int itemCapacity) => Slots > 0 ? Slots : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(itemCapacity, 512, 1 << 26) * 2);

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
