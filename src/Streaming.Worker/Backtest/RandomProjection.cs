namespace Streaming.Worker.Backtest;

/// <summary>
/// A fixed random projection of one-hot features: each feature (a name such as "c7=203" or "brand=coka") has a vector of
/// independent ±1 / √F values, drawn from a hash of its name. Sums of them keep the inner products of the one-hots up
/// to an error of about 1 / √F (Johnson, Lindenstrauss; Achlioptas 2003), and no table of names has to be kept.
/// </summary>
internal sealed class RandomProjection(int length)
{
    private readonly float _scale = 1 / MathF.Sqrt(length);

    /// <summary>Adds a feature to a vector.</summary>
    /// <param name="name">Name of the feature.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="vector">[F] values.</param>
    public void Add(ReadOnlySpan<char> name, float weight, Span<float> vector)
    {
        ulong hash = Core.XxHash64.Hash(System.Runtime.InteropServices.MemoryMarshal.AsBytes(name));
        float value = weight * _scale;
        for (int i = 0; i < vector.Length; i++)
        {
            // 64 signs of a hash, then the next hash.
            if (i % 64 == 0)
            {
                hash = Core.XxHash64.Hash(BitConverter.GetBytes(hash), seed: (ulong)i + 1);
            }

            vector[i] += (hash >> (i % 64) & 1) == 0 ? value : -value;
        }
    }
}
