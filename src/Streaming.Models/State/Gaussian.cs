using Streaming.Kernels.Hashing;

namespace Streaming.Models.State;

/// <summary>Seeded normal values, truncated at two standard deviations: initial weights (LRURec).</summary>
public ref struct Gaussian(ulong seed)
{
    private SplitMix64 _random = new(seed);

    /// <summary>A generator for a named parameter, independent of the order of initialisation.</summary>
    public static Gaussian For(ulong seed, string name)
    {
        ulong hash = 14695981039346656037UL;
        foreach (char c in name)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return new Gaussian(SplitMix64.Finalize(seed) ^ hash);
    }

    /// <summary>A generator for a row of the id table, seeded by (seed, item key), independent of the order of arrival.</summary>
    public static Gaussian For(ulong seed, ulong key) => new(SplitMix64.Finalize(seed ^ SplitMix64.Golden) + key);

    /// <summary>Fills with truncated normal values of a standard deviation (before truncation).</summary>
    public void Fill(Span<float> values, double deviation)
    {
        foreach (ref float value in values)
        {
            value = (float)(deviation * NextTruncated());
        }
    }

    /// <summary>Uniform in (0, 1).</summary>
    public double NextUniform() => ((_random.Next() >> 11) + 0.5) * (1.0 / (1UL << 53));

    private double NextTruncated()
    {
        double value;
        do
        {
            value = Math.Sqrt(-2 * Math.Log(NextUniform())) * Math.Cos(2 * Math.PI * NextUniform());
        } while (Math.Abs(value) > 2);

        return value;
    }
}
