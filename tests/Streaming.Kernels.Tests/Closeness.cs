using Xunit;

namespace Streaming.Kernels.Tests;

/// <summary>Compares float32 results with float64 references.</summary>
internal static class Closeness
{
    /// <summary>‖actual − expected‖ ≤ tolerance · ‖expected‖ + floor, and everything finite.</summary>
    public static void AssertClose(
        ReadOnlySpan<double> expected,
        ReadOnlySpan<float> actual,
        double tolerance,
        string what,
        double floor = 1e-12
    )
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0,
            norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = actual[i] - expected[i];
            error += difference * difference;
            norm += expected[i] * expected[i];
        }

        Assert.True(
            Math.Sqrt(error) <= tolerance * Math.Sqrt(norm) + floor,
            $"{what}: error {Math.Sqrt(error):E2} against norm {Math.Sqrt(norm):E2}, allowed {tolerance:E1}."
        );
    }
}
