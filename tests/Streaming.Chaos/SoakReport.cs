namespace Streaming.Chaos;

/// <summary>What came of a soak.</summary>
/// <param name="Minutes">How long the load lasted.</param>
/// <param name="Events">Events produced.</param>
/// <param name="Resent">Records that the load generator's client sent again when a connection broke: second deliveries, to be recognised.</param>
/// <param name="Faults">How often each thing was broken.</param>
/// <param name="MemoryMiB">Resident memory of the worker.</param>
/// <param name="Handles">Open file descriptors of the worker.</param>
/// <param name="Threads">Threads of the worker.</param>
/// <param name="Lag">Records that waited at the broker.</param>
/// <param name="Lost">Events that had no effect.</param>
/// <param name="Duplicated">Effects beyond one an event.</param>
/// <param name="Stale">Items whose value in Redis is not what the final model encodes.</param>
internal sealed record SoakReport(
    double Minutes, long Events, long Resent, IReadOnlyDictionary<string, int> Faults, Growth MemoryMiB, Growth Handles, Growth Threads, Growth Lag, long Lost, long Duplicated, long Stale)
{
    /// <summary>Memory may grow by a fifth and 64 MiB (the collector's heap breathes), the rest by what comes and goes with connections.</summary>
    public bool IsClean => Lost == 0 && Duplicated == 0 && Stale == 0
        && MemoryMiB.Late <= (MemoryMiB.Early * 1.2) + 64 && Handles.Late <= Handles.Early + 20 && Threads.Late <= Threads.Early + 10 && Lag.Late <= 20_000;
}

/// <summary>A level over the worker's lives, of the life in which it grew most.</summary>
/// <param name="Early">Median over the second quarter of the life: after the start has settled.</param>
/// <param name="Late">Median over its last quarter.</param>
/// <param name="Max">The highest ever.</param>
internal sealed record Growth(double Early, double Late, double Max)
{
    /// <summary>Computes it from samples by life.</summary>
    public static Growth Of(IEnumerable<IReadOnlyList<double>> lives)
    {
        var growths = lives.Where(life => life.Count >= 8).Select(life => new Growth(
            Median(life.Skip(life.Count / 4).Take(life.Count / 4)), Median(life.Skip(life.Count - (life.Count / 4))), life.Max())).ToList();
        return growths.Count == 0 ? new Growth(0, 0, 0) : growths.MaxBy(growth => growth.Late - growth.Early)! with { Max = growths.Max(growth => growth.Max) };
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
