using Streaming.Benchmarks.Libtorch;
using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;

namespace Streaming.Benchmarks;

/// <summary>Training steps of the CPU engine: fmrlrec, five widths, cross-batch negatives with a full bank.</summary>
internal sealed class TrainingWorkload : IDisposable
{
    public const int Batch = 512;
    public const int Length = 50;
    public const int Bank = 8192;
    public const int Items = 20_000;
    private const float LearningRate = 1e-3f;
    private const float LogQ = -9;

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
    /// <param name="threads">Number of threads.</param>
    /// <param name="length">Number of items in each history.</param>
    /// <param name="random">Whether dropout is used; without it, and without decay of idle rows, libtorch computes the same.</param>
    public TrainingWorkload(int threads, int length = Length, bool random = true)
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
                Dropout = [random ? 0.2f : 0],
                IdWeightDecay = random ? 0.01f : 0,
            },
            threads
        );
        Array.Fill(_weights, 1f);
        Array.Fill(_logQ, LogQ);
        for (int row = 0; row < Items; row++)
        {
            _engine.InitializeRow(row, (ulong)row + 1);
        }
    }

    /// <summary>Runs steps until the bank is full and every buffer has its final size.</summary>
    public void WarmUp()
    {
        while (_engine.BankCount < Bank)
        {
            Draw();
            Run();
        }
    }

    /// <summary>Runs one step on the last drawn batch.</summary>
    /// <returns>The loss.</returns>
    public double Run()
    {
        StepResult result = _engine.Step(
            new TrainingBatch
            {
                Sequences = new JaggedRows { Rows = _rows, Offsets = _offsets },
                PredictionSteps = _predictionSteps,
                Positives = _positives,
                Weights = _weights,
                LogQ = _logQ,
                BankEntries = _engine.BankCount,
                EnqueuePositives = true,
                LearningRate = LearningRate,
                Step = ++_step,
            }
        );
        if (!result.IsApplied)
        {
            throw new InvalidOperationException($"Step {_step} was not applied: loss {result.Loss}.");
        }

        return result.Loss;
    }

    /// <summary>Measures a step on a new batch in seconds, excluding drawing it.</summary>
    public double Time()
    {
        Draw();
        return Timing.Once(() => Run());
    }

    /// <summary>Measures the peer's step on a new batch in seconds.</summary>
    public double Time(StepPeer peer)
    {
        Draw();
        return Timing.Once(() => peer.Run(_rows, _positives));
    }

    /// <summary>Creates the peer with the engine's parameters and, if the engine's bank is full, a full bank.</summary>
    public StepPeer CreatePeer()
    {
        float[] items = new float[Items * _engine.Model.Dimension];
        _engine.EncodeItems([.. Enumerable.Range(0, Items)], items);
        StepPeer peer = new(_engine.Model, items, LearningRate, LogQ);
        peer.Places.Copy(_engine.Parameters);
        for (int entries = 0; entries < _engine.BankCount; entries += Batch)
        {
            Draw();
            peer.Enqueue(_positives);
        }

        return peer;
    }

    /// <summary>Checks that a step on the same batch has equal loss and gradients on both sides.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public void RequireSameStep(StepPeer peer)
    {
        Draw();
        Agreement.Require("training step, loss", [Run()], [peer.Run(_rows, _positives)], 1e-5);
        peer.Places.RequireSameGradients(_engine.Parameters, 2e-3);
        float[] expected = new float[peer.RowGradients.Length];
        int d = _engine.Model.Dimension;
        for (int i = 0; i < _engine.StepRows.Length; i++)
        {
            _engine.StepRowGradients.Slice(i * d, d).CopyTo(expected.AsSpan(Array.BinarySearch(peer.Rows, _engine.StepRows[i]) * d));
        }

        Agreement.Require("training step, gradients of item rows", expected, TorchSharp.torch.tensor(peer.RowGradients), 2e-3);
    }

    /// <summary>Bytes of the parts whose sizes the model gives.</summary>
    public IEnumerable<(string Part, long Bytes)> Parts
    {
        get
        {
            long dense = sizeof(float) * (long)_engine.Parameters.Length,
                d = _engine.Model.Dimension;
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
