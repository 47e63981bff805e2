using System.Globalization;
using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Tests;

namespace Streaming.Benchmarks;

/// <summary>
/// What sharing a step costs: CPU time of each rank outside of the transport against one engine with the whole batch, in turns, one
/// thread a rank; and the bytes that a rank sends, which must be those of the formula.
/// </summary>
internal sealed class RanksRun(TextWriter output)
{
    private const int MostRanks = 4;
    private static readonly int[] Batches = [512, 2048, 4096];

    /// <exception cref="InvalidOperationException">Ranks and engine differ in a loss, or counted bytes from the formula.</exception>
    public void Run()
    {
        Table table = new(
            output,
            "global batch",
            "ranks",
            "one engine, ms",
            "slowest rank, ms",
            "of ideal",
            "MB a rank sends",
            "rows",
            "candidates",
            "dense",
            "loss differs by"
        );
        foreach (int batch in Batches)
        {
            for (int size = 1; size <= MostRanks; size++)
            {
                Measure(table, batch, size);
            }
        }
    }

    private static void Measure(Table table, int batch, int size)
    {
        int warmUp = (RanksWorkload.Bank / batch) + 3,
            rounds = Math.Max(8, 12_000 / batch);
        double[][] rankTimes = new double[size][];
        double[] oneTimes = new double[rounds];
        double difference = 0;
        StepBytes bytes = new();
        InProcessRanks.Run(
            size,
            inner =>
            {
                var ranks = new MeasuredCollective(inner);
                var workload = new RanksWorkload(batch);
                using var engine = new ShardedCpuEngine(RanksWorkload.Model, 1, ranks);
                using CpuEngine? one = ranks.Rank == 0 ? new CpuEngine(RanksWorkload.Model, 1) : null;
                Fill(engine);
                Fill(one);
                double[] times = rankTimes[ranks.Rank] = new double[rounds];
                for (int step = 0; step < warmUp + rounds; step++)
                {
                    workload.Draw(step);
                    long sent = ranks.BytesSent;
                    double begun = ranks.Seconds;
                    StepResult result = engine.Step(workload.Share(ranks.Rank, size, step, engine.BankCount));
                    double seconds = ranks.Seconds - begun;
                    if (step == warmUp)
                    {
                        StepBytes formula = Bytes(workload, step, ranks, engine.Parameters.Length);
                        Require(
                            formula.Total == ranks.BytesSent - sent,
                            $"rank {ranks.Rank} sent {ranks.BytesSent - sent} bytes: {formula}"
                        );
                        bytes = ranks.Rank == 0 ? formula : bytes;
                    }

                    ranks.Barrier();
                    if (one is not null)
                    {
                        begun = ranks.Seconds;
                        StepResult whole = one.Step(workload.Share(0, 1, step, one.BankCount));
                        double alone = ranks.Seconds - begun;
                        difference = Math.Max(difference, Math.Abs(result.Loss - whole.Loss) / whole.Loss);
                        oneTimes[Math.Max(0, step - warmUp)] = alone;
                    }

                    times[Math.Max(0, step - warmUp)] = seconds;
                    ranks.Barrier();
                }
            }
        );
        Require(difference < 1e-4, string.Create(CultureInfo.InvariantCulture, $"losses differ by {difference}"));
        double expected = Timing.Median(oneTimes),
            slowest = rankTimes.Max(Timing.Median);
        table.Row(
            $"{batch}",
            $"{size}",
            $"{1e3 * expected:F0}",
            $"{1e3 * slowest:F0}",
            $"{expected / size / slowest:P0}",
            $"{bytes.Total / 1e6:F2}",
            $"{bytes.Rows / 1e6:F2}",
            $"{bytes.Candidates / 1e6:F2}",
            $"{bytes.Dense / 1e6:F2}",
            $"{difference:E0}"
        );
    }

    private static StepBytes Bytes(RanksWorkload workload, int step, MeasuredCollective ranks, int parameters) =>
        StepBytes.Sent(
            [.. Enumerable.Range(0, ranks.Size).Select(rank => StepBytes.Share.Of(workload.Share(rank, ranks.Size, step, 0)))],
            ranks.Rank,
            RanksWorkload.Model,
            parameters
        );

    private static void Fill(TrainingEngine? engine)
    {
        for (int row = 0; engine is not null && row < RanksWorkload.Items; row++)
        {
            engine.InitializeRow(row, (ulong)row + 1);
        }
    }

    private static void Require(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
