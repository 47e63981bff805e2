namespace Streaming.Chaos;

/// <summary>The result of a soak.</summary>
/// <param name="Minutes">Duration of the load.</param>
/// <param name="Events">Events produced.</param>
/// <param name="Resent">Records resent by the load generator's client after a broken connection; duplicates to be recognized.</param>
/// <param name="Faults">How often each fault was injected.</param>
/// <param name="MemoryMiB">Resident memory of the worker.</param>
/// <param name="Handles">Open file descriptors of the worker.</param>
/// <param name="Threads">Threads of the worker.</param>
/// <param name="Lag">Consumer lag in records.</param>
/// <param name="Lost">Events without effect.</param>
/// <param name="Duplicated">Effects beyond one per event.</param>
/// <param name="Stale">Items whose value in Redis is not what the final model encodes.</param>
internal sealed record SoakReport(
    double Minutes,
    long Events,
    long Resent,
    IReadOnlyDictionary<string, int> Faults,
    Growth MemoryMiB,
    Growth Handles,
    Growth Threads,
    Growth Lag,
    long Lost,
    long Duplicated,
    long Stale
)
{
    /// <summary>Memory may grow by a fifth and 64 MiB (the heap size varies), the others by what connections need.</summary>
    public bool IsClean =>
        Lost == 0
        && Duplicated == 0
        && Stale == 0
        && MemoryMiB.Late <= (MemoryMiB.Early * 1.2) + 64
        && Handles.Late <= Handles.Early + 20
        && Threads.Late <= Threads.Early + 10
        && Lag.Late <= 20_000;
}

/// <summary>A level in the run of the worker process in which it grew most.</summary>
/// <param name="Early">Median over the second quarter of the run, after startup has settled.</param>
/// <param name="Late">Median over the last quarter.</param>
/// <param name="Max">The overall maximum.</param>
internal sealed record Growth(double Early, double Late, double Max)
{
    /// <summary>Computes it from samples by process.</summary>
    public static Growth Of(IEnumerable<IReadOnlyList<double>> lives)
    {
        var growths = lives
            .Where(life => life.Count >= 8)
            .Select(life => new Growth(
                Median(life.Skip(life.Count / 4).Take(life.Count / 4)),
                Median(life.Skip(life.Count - (life.Count / 4))),
                life.Max()
            ))
            .ToList();
        return growths.Count == 0
            ? new Growth(0, 0, 0)
            : growths.MaxBy(growth => growth.Late - growth.Early)! with
            {
                Max = growths.Max(growth => growth.Max),
            };
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
