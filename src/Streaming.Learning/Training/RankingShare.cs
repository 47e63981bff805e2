using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// Draws the examples to rank, as many as a share of the trainer's time allows: of each batch all, or some, or, where even encoding the
/// catalogue for one batch takes more than a batch allows, some or all examples of batches drawn at random. Each example of a batch is
/// equally likely, and each draw tells how likely.
/// </summary>
/// <remarks>
/// The costs are measured: averages of the time for the catalogue's vectors, per ranked example, and of all else in a batch. What was
/// spent above or below the share is made up for over the next <see cref="Horizon"/> batches. While the trainer is behind, ranking yields:
/// it gets <see cref="SmallestShare"/> of its share, and nothing to make up for later, when it would put the trainer behind again. Draws
/// are a function of seed and step, apart from the measured probabilities; they depend on no property of the examples.
/// </remarks>
/// <param name="maxShare">Share of the trainer's time, above 0; 1: rank every example.</param>
/// <param name="seed">Seed of the draws.</param>
internal sealed class RankingShare(double maxShare, ulong seed)
{
    private const int Horizon = 100;
    private const double Smoothing = 0.1;

    // What is owed is paid back by ranking down to this part of what is allowed. Ranking hardly anything for a while instead would give the
    // few examples of that time a weight beside which all others vanish.
    private const double SmallestShare = 0.25;
    private const int LongestDebt = 10;

    private readonly List<int> _chosen = [];
    private double _other;
    private double _catalogue;
    private double _example;
    private double _owed;
    private int _measured;
    private double _recentShare = 1;
    private bool _yields;

    /// <summary>Gets the examples drawn, increasing.</summary>
    public IReadOnlyList<int> Chosen => _chosen;

    /// <summary>Gets how each of them was drawn.</summary>
    public Draw Drawn { get; private set; } = Draw.Every;

    /// <summary>Gets the share of the examples that was ranked, averaged over the last batches, 0 … 1.</summary>
    public double Recent => _recentShare;

    /// <summary>Draws every example.</summary>
    public void DrawAll(int count, long batch)
    {
        Fill(count);
        Drawn = new Draw(1, (int)(batch & int.MaxValue));
        _recentShare = 1;
    }

    /// <summary>Draws examples of a batch.</summary>
    /// <param name="count">Examples of the batch, 1 and up.</param>
    /// <param name="step">Number of the batch: with the seed it determines the draw.</param>
    /// <param name="isBehind">Whether the trainer is behind: ranking yields.</param>
    public void Take(int count, long step, bool isBehind = false)
    {
        _yields = isBehind;
        (double chance, int most) = Plan(count);
        ulong random = KeyMix.Mix(seed ^ 0x5C0E, (ulong)step);
        _recentShare += Smoothing * ((chance * most / count) - _recentShare);
        if (chance < 1 && KeyMix.Unit(random) >= chance)
        {
            _chosen.Clear();
            return;
        }

        Fill(count);
        Drawn = new Draw((float)(count / (chance * most)), (int)(step & int.MaxValue));
        for (int i = 0; i < most && most < count; i++)
        {
            random = KeyMix.Mix(random);
            int other = i + KeyMix.Reduce(random, count - i);
            (_chosen[i], _chosen[other]) = (_chosen[other], _chosen[i]);
        }

        _chosen.RemoveRange(most, count - most);
        _chosen.Sort();
    }

    /// <summary>Measures a batch that was trained on.</summary>
    /// <param name="total">Seconds that the trainer needed for it, ranking included.</param>
    /// <param name="catalogue">Seconds of them for the catalogue's vectors.</param>
    /// <param name="ranking">Seconds of them for everything else about ranking.</param>
    public void Measure(double total, double catalogue, double ranking)
    {
        Average(ref _other, total - catalogue - ranking);
        if (_chosen.Count > 0 && ++_measured > 1)
        {
            // The first time allocates, and compiles code.
            Average(ref _catalogue, catalogue);
            Average(ref _example, ranking / _chosen.Count);
        }

        // Bounded: a process that was frozen while it ranked must not be without metrics for as long.
        double most = Horizon * Allowance;
        double earned = maxShare * total * (_yields ? SmallestShare : 1);
        _owed = Math.Clamp(_owed + earned - catalogue - ranking, LongestDebt * -most, most);
    }

    /// <summary>Gets the seconds for ranking that belong to an average batch.</summary>
    private double Allowance => maxShare / (1 - maxShare) * _other;

    /// <summary>The probability that a batch is ranked, and how many of its examples then are.</summary>
    private (double Chance, int Most) Plan(int count)
    {
        if (maxShare >= 1 || _measured < 2)
        {
            return (1, count);
        }

        double least = SmallestShare * Allowance;
        double allowed = _yields ? least : Math.Max(Allowance + (_owed / Horizon), least);
        if (_catalogue + (count * _example) <= allowed)
        {
            return (1, count);
        }

        double example = Math.Max(_example, 1e-9);

        // Ranking fewer than the catalogue's vectors cost would waste them; ranking many more would hold the trainer up at once.
        int fewest = (int)Math.Clamp(Math.Ceiling(_catalogue / example), 1, count);
        int most = (int)Math.Clamp((allowed - _catalogue) / example, fewest, count);
        return (Math.Min(1, allowed / (_catalogue + (most * example))), most);
    }

    private void Fill(int count)
    {
        _chosen.Clear();
        for (int i = 0; i < count; i++)
        {
            _chosen.Add(i);
        }
    }

    private static void Average(ref double average, double value) =>
        average = average == 0 ? value : average + (Smoothing * (value - average));
}
