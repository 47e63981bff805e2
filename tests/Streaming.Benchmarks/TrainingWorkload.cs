using Streaming.Learning;

namespace Streaming.Benchmarks;

/// <summary>Training steps of the CPU engine: fmrlrec, five widths, cross-batch negatives with a full bank.</summary>
internal sealed class TrainingWorkload : IDisposable
{
    public const int Batch = 512;
    public const int Length = 50;
    public const int Bank = 8192;
    public const int Items = 20_000;

    private readonly CpuEngine _engine;
    private readonly int[] _rows;
    private readonly int[] _offsets;
    private readonly int[] _predictionSteps;
    private readonly int[] _positives = new int[Batch];
    private readonly float[] _weights = new float[Batch];
    private readonly float[] _logQ = new float[Batch];
    private readonly Random _random = new(1);
    private long _step;

    /// <summary>Creates the engine and fills its item table.</summary>
    /// <param name="threads">Threads to work with.</param>
    /// <param name="length">Items of each history.</param>
    public TrainingWorkload(int threads, int length = Length)
    {
        _rows = new int[Batch * length];
        _offsets = [.. Enumerable.Range(0, Batch + 1).Select(i => i * length)];
        _predictionSteps = [.. Enumerable.Range(0, Batch).Select(i => (i * (length + 1)) + length)];
        _engine = new CpuEngine(
            new ModelOptions
            {
                Widths = [8, 16, 32, 64, 128],
                Tower = TowerKind.FmrlRec,
                Cosine = false,
                Temperature = 1,
                BalanceBank = false,
                Layers = 2,
                HistoryLength = length,
                ItemCapacity = Items,
                BankCapacity = Bank,
                Loss = LossKind.Cbns,
            },
            threads);
        Array.Fill(_weights, 1f);
        Array.Fill(_logQ, -9f);
        for (int row = 0; row < Items; row++)
        {
            _engine.InitializeRow(row, (ulong)row + 1);
        }
    }

    /// <summary>Steps until the bank is full and every buffer has its size.</summary>
    public void WarmUp()
    {
        while (_engine.BankCount < Bank)
        {
            Draw();
            Run();
        }
    }

    /// <summary>One step on the batch that was drawn last.</summary>
    public void Run()
    {
        StepResult result = _engine.Step(new TrainingBatch
        {
            Sequences = new JaggedRows { Rows = _rows, Offsets = _offsets },
            PredictionSteps = _predictionSteps,
            Positives = _positives,
            Weights = _weights,
            LogQ = _logQ,
            BankEntries = _engine.BankCount,
            EnqueuePositives = true,
            LearningRate = 1e-3f,
            Step = ++_step,
        });
        if (!result.Applied)
        {
            throw new InvalidOperationException($"Step {_step} was not applied: loss {result.Loss}.");
        }
    }

    /// <summary>Seconds of a step on a new batch; drawing it is not counted.</summary>
    public double Time()
    {
        Draw();
        return Timing.Once(Run);
    }

    /// <summary>Bytes of the parts whose sizes the model gives.</summary>
    public IEnumerable<(string Part, long Bytes)> Parts
    {
        get
        {
            long dense = sizeof(float) * (long)_engine.Parameters.Length, d = _engine.Model.Dimension;
            yield return ("dense parameters, gradient, two moments", 4 * dense);
            yield return ("partial gradients, one a lane", dense * _engine.LaneCount);
            yield return ($"item table: {Items} embeddings, two moments", 3 * sizeof(float) * Items * d);
            yield return ($"bank of {Bank}, with room to move half of it", sizeof(float) * (Bank + (Bank / 2)) * d);
        }
    }

    /// <summary>Draws the next batch: random histories of full length.</summary>
    public void Draw()
    {
        foreach (ref int row in _rows.AsSpan())
        {
            row = _random.Next(Items);
        }

        foreach (ref int row in _positives.AsSpan())
        {
            row = _random.Next(Items);
        }
    }

    public void Dispose() => _engine.Dispose();
}
