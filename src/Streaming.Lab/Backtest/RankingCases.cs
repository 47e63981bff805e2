namespace Streaming.Lab.Backtest;

/// <summary>Ranking cases: a history and the target items to rank after it.</summary>
internal sealed class RankingCases
{
    /// <summary>Gets the histories, oldest first.</summary>
    public JaggedList Histories { get; } = new();

    /// <summary>Gets the targets, distinct, at least one per case.</summary>
    public JaggedList Targets { get; } = new();

    /// <summary>Gets the number of cases.</summary>
    public int Count => Histories.Count;

    /// <summary>Gets the number of targets, and how many of them occur in their case's history.</summary>
    public (int All, int Repeats) TargetCounts()
    {
        int repeats = 0;
        for (int i = 0; i < Count; i++)
        {
            foreach (int target in Targets[i])
            {
                repeats += Histories[i].Contains(target) ? 1 : 0;
            }
        }

        return (Targets.ValueCount, repeats);
    }

    /// <summary>Adds a case.</summary>
    public void Add(ReadOnlySpan<int> history, ReadOnlySpan<int> targets)
    {
        Histories.Add(history);
        Targets.Add(targets);
    }

    /// <summary>Returns a random sample of the cases, in order.</summary>
    /// <param name="count">The maximum sample size.</param>
    /// <param name="seed">Seed of the sample.</param>
    public RankingCases Sample(int count, int seed)
    {
        if (count >= Count)
        {
            return this;
        }

        int[] chosen = [.. Enumerable.Range(0, Count)];
        new Random(seed).Shuffle(chosen);
        Array.Sort(chosen, 0, count);
        var sample = new RankingCases();
        foreach (int i in chosen.AsSpan(0, count))
        {
            sample.Add(Histories[i], Targets[i]);
        }

        return sample;
    }
}
