using System.Globalization;
using Xunit;

namespace Streaming.Learning.Tests.Golden;

/// <summary>Compares vectors by the largest difference, relative to the largest expected value.</summary>
internal static class Near
{
    /// <summary>Fails with the position and both values if the difference exceeds the tolerance.</summary>
    /// <returns>The largest relative difference.</returns>
    public static double Equal(string what, IReadOnlyList<double> expected, IReadOnlyList<float> actual, double tolerance) =>
        Equal(what, expected, [.. actual.Select(value => (double)value)], tolerance);

    /// <summary>Fails with the position and both values if the difference exceeds the tolerance.</summary>
    /// <returns>The largest relative difference.</returns>
    public static double Equal(string what, IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.True(expected.Count == actual.Count, $"{what} has {actual.Count} values; {expected.Count} are expected.");
        double scale = Math.Max(1e-30, expected.Select(Math.Abs).DefaultIfEmpty(0).Max()),
            worst = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            double error = Math.Abs(expected[i] - actual[i]) / scale;
            string text = string.Create(
                CultureInfo.InvariantCulture,
                $"{what}[{i}] is {actual[i]:R}; {expected[i]:R} is expected, of at most {scale:R}: off by {error:G3}."
            );
            Assert.True(error <= tolerance, text);
            worst = Math.Max(worst, error);
        }

        return worst;
    }
}
