namespace Streaming.Kernels.Hashing;

/// <summary>The SplitMix64 generator (Steele, Lea, Flood 2014): small, seedable, good enough for initial values and sampling.</summary>
/// <param name="seed">The state before the first number.</param>
public struct SplitMix64(ulong seed)
{
    /// <summary>The increment of the state: 2⁶⁴ divided by the golden ratio.</summary>
    public const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state = seed;

    /// <summary>The finalizer (Stafford's variant 13): a bijection that spreads every bit of its argument.</summary>
    public static ulong Finalize(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>The next number, uniform over 64 bits.</summary>
    public ulong Next() => Finalize(_state += Golden);

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal, by Box and Muller.</summary>
    public float NextNormal() => (float)(Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble()));
}
