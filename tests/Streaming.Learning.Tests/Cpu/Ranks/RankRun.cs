using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;

namespace Streaming.Learning.Tests.Cpu.Ranks;

/// <summary>What a run of steps computed: by one engine, or by ranks, which see the same batches in shares.</summary>
internal sealed class RankRun
{
    private readonly List<float[]> _rows = [];

    /// <summary>Losses, then those of each width, by step.</summary>
    public List<double[]> Losses { get; } = [];

    /// <summary>Gradient norm by step.</summary>
    public List<double> Norms { get; } = [];

    /// <summary>Dense gradients by step.</summary>
    public List<float[]> Dense { get; } = [];

    /// <summary>Gradients of all item rows by step.</summary>
    public List<float[]> Rows => _rows;

    /// <summary>Dense parameters of each rank at the end.</summary>
    public float[][] Values { get; private init; } = [];

    /// <summary>Embeddings of all items at the end.</summary>
    public float[] Items { get; } = new float[TestEngines.Items * 32];

    /// <summary>Entries in the bank at the end.</summary>
    public int BankCount { get; private set; }

    public static RankRun OfOne(ModelOptions model, Func<int, int, RandomBatch> batches, int steps)
    {
        var run = new RankRun { Values = new float[1][] };
        using CpuEngine engine = TestEngines.Create(model, threads: 1);
        for (int step = 1; step <= steps; step++)
        {
            StepResult result = engine.Step(batches(step, engine.BankCount).Batch);
            run.Begin(result, engine);
            engine.Parameters.Gradients.CopyTo(run.Dense[^1].AsSpan());
            run.Scatter(engine, 0, 1);
        }

        run.End(engine, 0);
        return run;
    }

    public static RankRun OfRanks(ModelOptions model, Func<int, int, RandomBatch> batches, int steps, int[] cuts)
    {
        int size = cuts.Length - 1;
        var run = new RankRun { Values = new float[size][] };
        InProcessRanks.Run(
            size,
            ranks =>
            {
                using var engine = new ShardedCpuEngine(model, 1, ranks);
                TestEngines.Fill(engine);
                for (int step = 1; step <= steps; step++)
                {
                    StepResult result = engine.Step(new RankBatch(batches(step, engine.BankCount), ranks.Rank, cuts).Batch);
                    if (ranks.Rank == 0)
                    {
                        run.Begin(result, engine);
                    }

                    ranks.Barrier();
                    engine.Parameters.Gradients.AsSpan()[engine.DenseSlice].CopyTo(run.Dense[^1].AsSpan()[engine.DenseSlice]);
                    run.Scatter(engine, ranks.Rank, size);
                    ranks.Barrier();
                }

                run.End(engine, ranks.Rank);
            }
        );
        return run;
    }

    private void Begin(in StepResult result, CpuEngine engine)
    {
        Losses.Add([result.Loss, .. result.Losses.ToArray()]);
        Norms.Add(result.GradientNorm);
        Dense.Add(new float[engine.Parameters.Length]);
        _rows.Add(new float[engine.Model.ItemCapacity * engine.Model.Dimension]);
    }

    private void Scatter(CpuEngine engine, int rank, int size)
    {
        int d = engine.Model.Dimension;
        for (int slot = 0; slot < engine.StepRows.Length; slot++)
        {
            int row = (engine.StepRows[slot] * size) + rank;
            engine.StepRowGradients.Slice(slot * d, d).CopyTo(_rows[^1].AsSpan(row * d, d));
        }
    }

    private void End(CpuEngine engine, int rank)
    {
        Values[rank] = [.. engine.Parameters.Values];
        float[] items = new float[Items.Length];
        engine.EncodeItems([.. Enumerable.Range(0, TestEngines.Items)], items);
        if (rank == 0)
        {
            items.CopyTo(Items.AsSpan());
            BankCount = engine.BankCount;
        }
    }
}
