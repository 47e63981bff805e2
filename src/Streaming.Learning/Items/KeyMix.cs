using Streaming.Kernels.Hashing;

namespace Streaming.Learning.Items;

/// <summary>
/// Pseudo-random numbers as a function of keys and counters (the finaliser of SplitMix64; Steele, Lea, Flood 2014). Stateless, so
/// a checkpoint has no generator state to lose.
/// </summary>
internal static class KeyMix
{
    /// <summary>A well-mixed function of a key.</summary>
    public static ulong Mix(ulong key) => SplitMix64.Finalize(key + SplitMix64.Golden);

    /// <summary>A well-mixed function of a seed and a counter.</summary>
    public static ulong Mix(ulong seed, ulong counter) => Mix(Mix(seed) ^ (counter * SplitMix64.Golden));

    /// <summary>Maps a well-mixed number to 0 … <paramref name="length"/> − 1 (Lemire's multiplication; no division).</summary>
    public static int Reduce(ulong mixed, int length) => (int)Math.BigMul(mixed, (ulong)length, out _);

    /// <summary>Maps a well-mixed number to [0, 1).</summary>
    public static double Unit(ulong mixed) => (mixed >> 11) * (1.0 / (1UL << 53));
}
