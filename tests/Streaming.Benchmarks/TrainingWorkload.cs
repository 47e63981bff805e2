using Streaming.Learning;

namespace Streaming.Benchmarks;

/// <summary>Training steps of the CPU engine: fmrlrec, 2 layers, five widths, cross-batch negatives with a full bank.</summary>
internal sealed class TrainingWorkload : IDisposable
{
    public const int Batch = 512;
    public const int Length = 50;
    public const int Bank = 8192;
    public const int Items = 20_000;

    private readonly CpuEngine _engine;
    private readonly int[] _rows = new int[Batch * Length];
    private readonly int[] _offsets = [.. Enumerable.Range(0, Batch + 1).Select(i => i * Length)];
    private readonly int[] _positives = new int[Batch];
    private readonly float[] _weights = new float[Batch];
    private readonly float[] _logQ = new float[Batch];
    private readonly int[] _predictionSteps = [.. Enumerable.Range(0, Batch).Select(i => (i * (Length + 1)) + Length)];
    private readonly Random _random = new(1);
    private long _step;

    public TrainingWorkload(int threads)
    {
        _engine = new CpuEngine(
            new ModelOptions
            {
                Widths = [8, 16, 32, 64, 128],
                Tower = TowerKind.FmrlRec,
                Cosine = false,
                Temperature = 1,
                BalanceBank = false,
                Layers = 2,
                HistoryLength = Length,
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

        while (_engine.BankCount < Bank)
        {
            Run();
        }
    }

    /// <summary>One step on random histories of full length; the time of drawing them is not counted by callers that draw before.</summary>
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

    /// <summary>Draws the next batch.</summary>
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
