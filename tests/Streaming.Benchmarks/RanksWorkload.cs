using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;

namespace Streaming.Benchmarks;

/// <summary>Batches for several ranks: histories of 25 … 50 items, items drawn by a Zipf law with exponent 0.9.</summary>
internal sealed class RanksWorkload
{
    public const int Items = 20_000;
    public const int Bank = 8192;
    private const double Exponent = 0.9;

    private readonly int _batch;
    private readonly int[] _positives;
    private readonly int[] _offsets;
    private readonly float[] _weights;
    private readonly float[] _logQ;
    private readonly double[] _cumulative = new double[Items];
    private readonly List<int> _rows = [];
    private int[] _stepRows = [];

    public RanksWorkload(int batch)
    {
        _batch = batch;
        (_positives, _offsets, _weights, _logQ) = (new int[batch], new int[batch + 1], new float[batch], new float[batch]);
        double sum = 0;
        for (int item = 0; item < Items; item++)
        {
            _cumulative[item] = sum += Math.Pow(item + 1, -Exponent);
        }
    }

    public static ModelOptions Model { get; } = new() { ItemCapacity = Items, BankCapacity = Bank };

    /// <summary>Draws the batch of a step: the same in every rank.</summary>
    public void Draw(int step)
    {
        var random = new Random(step);
        _rows.Clear();
        for (int i = 0; i < _batch; i++)
        {
            int length = random.Next(Model.HistoryLength / 2, Model.HistoryLength + 1);
            for (int t = 0; t < length; t++)
            {
                _rows.Add(Item(random));
            }

            _offsets[i + 1] = _rows.Count;
            _positives[i] = Item(random);
            _weights[i] = 0.5f + random.NextSingle();
            _logQ[i] = -6 - (4 * random.NextSingle());
        }

        _stepRows = [.. _rows];
    }

    /// <summary>A rank's share of the batch.</summary>
    public TrainingBatch Share(int rank, int size, int step, int bankEntries)
    {
        int first = _batch * rank / size,
            end = _batch * (rank + 1) / size;
        int[] offsets = [.. _offsets[first..(end + 1)].Select(offset => offset - _offsets[first])];
        return new TrainingBatch
        {
            Sequences = new JaggedRows { Rows = _stepRows.AsSpan(_offsets[first].._offsets[end]), Offsets = offsets },
            PredictionSteps = offsets[1..].Select((offset, i) => offset + i).ToArray(),
            Positives = _positives.AsSpan(first..end),
            Weights = _weights.AsSpan(first..end),
            LogQ = _logQ.AsSpan(first..end),
            BankEntries = bankEntries,
            EnqueuePositives = true,
            LearningRate = 1e-3f,
            Step = step,
        };
    }

    private int Item(Random random)
    {
        int at = Array.BinarySearch(_cumulative, random.NextDouble() * _cumulative[^1]);
        return Math.Min(at < 0 ? ~at : at, Items - 1);
    }
}
