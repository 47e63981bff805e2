using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>Compares both sides' results before timing: a peer must compute the same thing.</summary>
internal static class Agreement
{
    /// <summary>Checks that no value differs by more than a fraction of the largest expected one.</summary>
    /// <param name="what">Name of the values in the error.</param>
    /// <param name="expected">Ours.</param>
    /// <param name="actual">The peer's.</param>
    /// <param name="tolerance">The fraction.</param>
    /// <exception cref="InvalidOperationException">They differ in number or by more than that.</exception>
    public static void Require(string what, double[] expected, double[] actual, double tolerance)
    {
        double largest = expected.Max(Math.Abs);
        if (expected.Length != actual.Length || largest == 0)
        {
            throw new InvalidOperationException(
                $"{what}: {expected.Length} values here, the largest {largest}, and {actual.Length} in libtorch."
            );
        }

        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance * largest))
            {
                throw new InvalidOperationException(
                    $"{what}: value {i} of {expected.Length} is {expected[i]} here and {actual[i]} in libtorch; the largest is {largest}."
                );
            }
        }
    }

    /// <summary>The same for a float32 tensor of any shape.</summary>
    public static void Require(string what, ReadOnlySpan<float> expected, Tensor actual, double tolerance)
    {
        using Tensor flat = actual.detach().contiguous();
        Require(
            what,
            Array.ConvertAll(expected.ToArray(), x => (double)x),
            Array.ConvertAll(flat.data<float>().ToArray(), x => (double)x),
            tolerance
        );
    }
}
