namespace Streaming.Lab.Simulation;

/// <summary>Draws a rank r from 0 … n − 1 with probability proportional to 1 / (r + 1)^s; n may grow between calls.</summary>
internal sealed class ZipfSampler(double exponent)
{
    private readonly List<double> _cumulative = [];

    /// <summary>Draws a rank below <paramref name="count"/>.</summary>
    public int Next(Random random, int count)
    {
        while (_cumulative.Count < count)
        {
            double before = _cumulative.Count == 0 ? 0 : _cumulative[^1];
            _cumulative.Add(before + Math.Pow(_cumulative.Count + 1, -exponent));
        }

        int rank = _cumulative.BinarySearch(0, count, random.NextDouble() * _cumulative[count - 1], null);
        return Math.Min(rank < 0 ? ~rank : rank, count - 1);
    }
}
