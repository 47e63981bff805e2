using Streaming.Kernels.Hashing;

namespace Streaming.Learning.Text;

/// <summary>
/// Adds tokens to a vector, each as its row of a fixed matrix of random signs, which exists only as a function of the token's hash: a
/// random projection (Achlioptas 2003) of hashed tokens (Weinberger et al. 2009). It keeps their dot products in expectation.
/// </summary>
/// <remarks>
/// A token changes every number of the vector. With one number for each token, dot products would be kept as well on average, but two
/// words that share their number could never be told apart. There are only additions, in the order of the tokens: the result is the
/// same, bit for bit, on every machine.
/// </remarks>
internal static class SignProjection
{
    /// <summary>Adds a token.</summary>
    /// <param name="hash">The token's hash.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="vector">[F]; changed.</param>
    public static void Add(ulong hash, float weight, Span<float> vector)
    {
        var random = new SplitMix64(hash);
        uint bits = BitConverter.SingleToUInt32Bits(weight);
        for (int start = 0; start < vector.Length; start += 64)
        {
            ulong signs = random.Next();
            Span<float> part = vector[start..Math.Min(start + 64, vector.Length)];
            for (int i = 0; i < part.Length; i++)
            {
                part[i] += BitConverter.UInt32BitsToSingle(bits ^ ((uint)(signs >> i) << 31));
            }
        }
    }
}
