using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>Compares results of both sides before anything is timed: what computes something else is not a peer.</summary>
internal static class Agreement
{
    /// <summary>Requires that no value differs by more than a share of the largest expected one.</summary>
    /// <param name="what">Names the values in the error.</param>
    /// <param name="expected">Ours.</param>
    /// <param name="actual">The peer's.</param>
    /// <param name="tolerance">The share.</param>
    /// <exception cref="InvalidOperationException">They differ in number or by more.</exception>
    public static void Require(string what, double[] expected, double[] actual, double tolerance)
    {
        double largest = expected.Max(Math.Abs);
        if (expected.Length != actual.Length || largest == 0)
        {
            throw new InvalidOperationException($"{what}: {expected.Length} values here, the largest {largest}, and {actual.Length} in libtorch.");
        }

        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance * largest))
            {
                throw new InvalidOperationException($"{what}: value {i} of {expected.Length} is {expected[i]} here and {actual[i]} in libtorch; the largest is {largest}.");
            }
        }
    }

    /// <summary>The same for float32, of a tensor of any shape.</summary>
    public static void Require(string what, ReadOnlySpan<float> expected, Tensor actual, double tolerance)
    {
        using Tensor flat = actual.detach().contiguous();
        Require(what, Array.ConvertAll(expected.ToArray(), x => (double)x), Array.ConvertAll(flat.data<float>().ToArray(), x => (double)x), tolerance);
    }
}
