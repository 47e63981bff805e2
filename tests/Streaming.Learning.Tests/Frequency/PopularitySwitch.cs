using Streaming.Learning.Frequency;

namespace Streaming.Learning.Tests.Frequency;

/// <summary>
/// The simulation of Yi et al. (RecSys 2019), section 6.1: 1,000 items with popularity ∝ i², batches of 128 drawn without
/// replacement; halfway through, the order of popularity is reversed.
/// </summary>
internal sealed class PopularitySwitch
{
    public const int Items = 1000;
    public const int BatchRows = 128;
    public const int SwitchAt = 10_000;
    private readonly Random _random;
    private readonly double[] _order = new double[Items];
    private readonly int[] _items = new int[Items];
    private readonly double[] _share = new double[Items];

    public PopularitySwitch(int seed) => _random = new Random(seed);

    /// <summary>Draws the batch of a step, 1 and up.</summary>
    public ReadOnlySpan<int> Draw(int step)
    {
        double sum = 0;
        for (int i = 0; i < Items; i++)
        {
            double rank = step <= SwitchAt ? i : Items - 1 - i;
            _share[i] = rank * rank;
            sum += _share[i];
        }

        for (int i = 0; i < Items; i++)
        {
            _share[i] /= sum;

            // Weighted sampling without replacement: the smallest exponential times (Efraimidis and Spirakis 2006).
            _order[i] = _share[i] > 0 ? -Math.Log(1 - _random.NextDouble()) / _share[i] : double.PositiveInfinity;
            _items[i] = i;
        }

        Array.Sort(_order, _items);
        return _items.AsSpan(0, BatchRows);
    }

    /// <summary>(1 / 2|B|) Σ |p̂ − p| with p = |B| q, of the distribution of the last step drawn.</summary>
    public double Error(FrequencyEstimator estimator)
    {
        double error = 0;
        for (int i = 0; i < Items; i++)
        {
            error += Math.Abs((estimator.Probability(Key(i)) * BatchRows) - (BatchRows * _share[i]));
        }

        return error / (2 * BatchRows);
    }

    public static ulong Key(int item) => (ulong)item * 0x9E3779B97F4A7C15;
}
