using Streaming.Learning.Engine;
using Streaming.Models.Batches;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>Random histories of full length with one prediction each.</summary>
internal sealed class SyntheticBatch
{
    private readonly int[] _rows;
    private readonly int[] _offsets;
    private readonly int[] _steps;
    private readonly int[] _positives;
    private readonly float[] _weights;
    private readonly float[] _logQ;

    public SyntheticBatch(BenchmarkShape shape, int seed)
    {
        var random = new Random(seed);
        _rows = [.. Enumerable.Range(0, shape.Batch * shape.History).Select(_ => random.Next(shape.Items))];
        _offsets = [.. Enumerable.Range(0, shape.Batch + 1).Select(s => s * shape.History)];
        _steps = [.. Enumerable.Range(0, shape.Batch).Select(s => (s * (shape.History + 1)) + shape.History)];
        _positives = [.. _steps.Select(_ => random.Next(shape.Items))];
        _weights = [.. _steps.Select(_ => 1f)];
        _logQ = [.. _steps.Select(_ => -8 + random.NextSingle())];
    }

    public StepResult Run(TrainingEngine engine, int bank, long step) =>
        engine.Step(
            new TrainingBatch
            {
                Sequences = new JaggedRows { Rows = _rows, Offsets = _offsets },
                PredictionSteps = _steps,
                Positives = _positives,
                Weights = _weights,
                LogQ = _logQ,
                BankEntries = bank,
                EnqueuePositives = true,
                LearningRate = 1e-4f,
                Step = step,
            }
        );
}
