namespace Streaming.Benchmarks;

/// <summary>Vectors in clusters of a few hundred, as those of a catalogue with categories: each is its cluster's center and a deviation of
/// 0.8 times the center's length. Of both, the first numbers are the largest, as in trained nested vectors.</summary>
internal sealed class ClusteredVectors
{
    private const int ClusterSize = 300;
    private const float Deviation = 0.8f;
    private readonly float[][] _centers;
    private readonly float[][] _deviations;
    private readonly int _width;

    public ClusteredVectors(int items, int width)
    {
        Random random = new(3);
        _width = width;
        _centers = [.. Enumerable.Range(0, Math.Max(items / ClusterSize, 1)).Select(_ => SearchRun.Random(random, width))];
        _deviations = [.. Enumerable.Range(0, 4099).Select(_ => SearchRun.Random(random, width))];
    }

    /// <summary>Draws a vector.</summary>
    public void Draw(Random random, Span<float> vector)
    {
        // The sum of two deviations of a few thousand, so that each vector differs.
        float[] center = _centers[random.Next(_centers.Length)],
            one = _deviations[random.Next(_deviations.Length)],
            other = _deviations[random.Next(_deviations.Length)];
        for (int i = 0; i < _width; i++)
        {
            vector[i] = center[i] + (Deviation * (one[i] - other[i]) * 0.70710678f);
        }
    }
}
