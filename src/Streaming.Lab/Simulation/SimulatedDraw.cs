using Streaming.Kernels.Hashing;

namespace Streaming.Lab.Simulation;

/// <summary>Random numbers that are a function of what they are for: to draw one changes no other.</summary>
internal static class SimulatedDraw
{
    /// <summary>Whether an item's title is plain.</summary>
    public const int PlainTitle = 1;

    /// <summary>Whether an item has no picture.</summary>
    public const int NoPicture = 2;

    /// <summary>A number in 0 … 1 for an item.</summary>
    /// <param name="seed">Seed of the shop.</param>
    /// <param name="item">Number of the item.</param>
    /// <param name="purpose">What the number is for.</param>
    public static double Share(ulong seed, int item, int purpose)
    {
        var random = new SplitMix64((seed * 0x9E3779B97F4A7C15) ^ ((ulong)purpose << 32) ^ (uint)item);
        return (random.Next() >> 11) * (1.0 / (1UL << 53));
    }
}
