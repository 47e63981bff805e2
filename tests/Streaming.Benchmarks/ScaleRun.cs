using System.Diagnostics;
using System.Globalization;
using Streaming.Learning.Cpu;
using Streaming.Learning.Ranks;
using Streaming.Learning.Replay;
using Streaming.Learning.Training;
using Streaming.Tests;

namespace Streaming.Benchmarks;

/// <summary>
/// How far ranks carry, on paper: from costs that are measured here, the fewest ranks for a number of items and a rate of events, and what
/// binds first. Assumes the hosts that the output names, one rank on each.
/// </summary>
internal sealed class ScaleRun(TextWriter output)
{
    private const int Batch = 2048;
    private const int CoresPerRank = 32;
    private const double Bandwidth = 11e9; // 100 GbE, as measured transports reach.
    private const double MemoryPerRank = 256e9;
    private static readonly double Replay = new ReplayOptions().Ratio;

    /// <summary>Measures, and prints the table.</summary>
    public void Run()
    {
        double step = StepSeconds(),
            books = BookkeepingRun.Measure(new TrainerOptions { EvaluateEvery = -1 }, warmup: 10, measured: 30).Seconds;
        (double eventBytes, double exampleBytes, double denseBytes) = Bytes();
        double itemBytes = ReplicatedBytes(),
            rowBytes = 3.0 * sizeof(float) * RanksWorkload.Model.Dimension;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"measured, one thread: {1e6 * step:F0} µs an example of the step, {1e6 * books:F2} µs an event of bookkeeping on every rank, "
                    + $"{eventBytes:F0} bytes an event merged, {exampleBytes:F0} bytes an example exchanged, {denseBytes / 1e6:F2} MB a step "
                    + $"of dense gradients, {itemBytes:F0} bytes an item on every rank, {rowBytes:F0} on its owner"
            )
        );
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"assumed: {CoresPerRank} cores, {MemoryPerRank / 1e9:F0} GB and {Bandwidth / 1e9:F0} GB/s a rank, {Replay} replayed "
                    + $"examples an event"
            )
        );
        Table table = new(output, "items", "events/s", "ranks", "cores busy", "bookkeeping thread", "network", "memory", "binds first");
        foreach (double items in (double[])[1e6, 1e8, 1e9])
        {
            foreach (double events in (double[])[1e4, 1e5, 1e6])
            {
                Row(table, items, events);
            }
        }

        void Row(Table rows, double items, double events)
        {
            // The fewest ranks that carry it, or those that come nearest.
            Load[] loads = [.. Enumerable.Range(0, 13).Select(power => LoadOf(1 << power, items, events))];
            Load load = Array.Find(loads, static one => one.Most.Share <= 1) ?? loads.MinBy(static one => (one.Most.Share, one.Cores))!;
            (string name, double share) = load.Most;
            rows.Row(
                $"{items:E0}",
                $"{events:E0}",
                $"{(share <= 1 ? load.Ranks : "none")}",
                $"{load.Cores:P0}",
                $"{load.Thread:P0}",
                $"{load.Network:P0}",
                $"{load.Memory:P0}",
                $"{name}{(share <= 1 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $", {share:F1} times over"))}"
            );
        }

        Load LoadOf(int ranks, double items, double events)
        {
            double examples = events * (1 + Replay),
                thread = events * books;
            double bytes =
                ranks == 1
                    ? 0
                    : (events * eventBytes) + (examples / ranks * exampleBytes) + (events / (ranks * (double)Batch) * denseBytes);
            return new Load(
                ranks,
                ((examples * step / ranks) + thread) / CoresPerRank,
                thread,
                bytes / Bandwidth,
                items * (itemBytes + (rowBytes / ranks)) / MemoryPerRank
            );
        }
    }

    /// <summary>What a rank is loaded with, as parts of what it has.</summary>
    private sealed record Load(int Ranks, double Cores, double Thread, double Network, double Memory)
    {
        private const double MostBusy = 0.8;

        /// <summary>Gets what is loaded most, and how much of what it may be.</summary>
        public (string Name, double Share) Most =>
            new (string Name, double Share)[]
            {
                ("the step", Cores / MostBusy),
                ("bookkeeping", Thread / MostBusy),
                ("the network", Network / MostBusy),
                ("memory", Memory / MostBusy),
            }.MaxBy(static load => load.Share);
    }

    private static double StepSeconds()
    {
        var workload = new RanksWorkload(Batch);
        using var engine = new CpuEngine(RanksWorkload.Model, 1);
        for (int row = 0; row < RanksWorkload.Items; row++)
        {
            engine.InitializeRow(row, (ulong)row + 1);
        }

        var times = new List<double>();
        for (int step = 0; step < 12; step++)
        {
            workload.Draw(step);
            long begun = Stopwatch.GetTimestamp();
            engine.Step(workload.Share(0, 1, step, engine.BankCount));
            times.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds / Batch);
        }

        return Timing.Median([.. times.Skip(4)]);
    }

    private static (double Event, double Example, double Dense) Bytes()
    {
        double merged = 0,
            example = 0,
            dense = 0;
        InProcessRanks.Run(
            2,
            ranks =>
            {
                var merger = new BatchMerger(ranks);
                merger.Merge(RankedEvents.Make(ranks.Rank, Batch / 2), merger.Create(Batch / 2, RanksWorkload.Model.HistoryLength), 0);
                if (ranks.Rank == 0)
                {
                    merged = ranks.BytesSent / (Batch / 2.0);
                }
            }
        );
        var workload = new RanksWorkload(Batch);
        workload.Draw(0);
        using var engine = new CpuEngine(RanksWorkload.Model, 1);
        var bytes = StepBytes.Sent(
            [.. Enumerable.Range(0, 4).Select(rank => StepBytes.Share.Of(workload.Share(rank, 4, 0, 0)))],
            0,
            RanksWorkload.Model,
            engine.Parameters.Length
        );
        (example, dense) = ((bytes.Rows + bytes.Candidates) / (Batch / 4.0), bytes.Dense);
        return (merged, example, dense);
    }

    /// <summary>What every rank allocates for an item, wherever its row is.</summary>
    private static double ReplicatedBytes()
    {
        return (Allocated(120_000) - Allocated(40_000)) / 80_000.0;

        static long Allocated(int items)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using var engine = new IdleEngine(RanksWorkload.Model with { ItemCapacity = items });
            using var trainer = new Trainer(engine, new TrainerOptions());
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
