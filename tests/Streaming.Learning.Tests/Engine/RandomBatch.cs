using Streaming.Learning.Engine;
using Streaming.Models.Batches;

namespace Streaming.Learning.Tests.Engine;

/// <summary>A seeded training batch over rows 0 … items − 1.</summary>
internal sealed class RandomBatch
{
    private readonly int[] _rows;
    private readonly int[] _offsets;
    private readonly int[] _steps;
    private readonly int[] _positives;
    private readonly float[] _weights;
    private readonly float[] _logQ;
    private readonly int[] _negatives;
    private readonly float[] _negativeLogQ;

    public RandomBatch(int seed, int sequences, int maxLength, int items, bool everyStep = false, int negatives = 0, bool catalogue = false)
    {
        var random = new Random(seed);
        var rows = new List<int>();
        var offsets = new List<int> { 0 };
        var steps = new List<int>();
        for (int s = 0; s < sequences; s++)
        {
            int length = random.Next(maxLength + 1);
            for (int t = 0; t <= length; t++)
            {
                if (everyStep || t == length)
                {
                    steps.Add(rows.Count + s);
                }

                if (t < length)
                {
                    rows.Add(random.Next(items));
                }
            }

            offsets.Add(rows.Count);
        }

        _rows = [.. rows];
        _offsets = [.. offsets];
        _steps = [.. steps];
        _positives = [.. steps.Select(_ => random.Next(items))];
        _weights = [.. steps.Select(_ => 0.5f + random.NextSingle())];
        _logQ = [.. steps.Select(_ => -1f - (3 * random.NextSingle()))];
        _negatives = catalogue ? [.. Enumerable.Range(0, items)] : [.. Enumerable.Range(0, negatives).Select(_ => random.Next(items))];
        _negativeLogQ = [.. _negatives.Select(_ => -1f - (3 * random.NextSingle()))];
    }

    public float LearningRate { get; set; }

    public long Step { get; set; } = 1;

    public int BankEntries { get; set; }

    public bool Enqueue { get; set; }

    public int[] Positives => _positives;

    public float[] LogQ => _logQ;

    public float[] Weights => _weights;

    public int[] Rows => _rows;

    public int[] Offsets => _offsets;

    public int[] Steps => _steps;

    public int[] Negatives => _negatives;

    public int DrawnFrom { get; set; }

    public float[] NegativeLogQ => _negativeLogQ;

    public JaggedRows Sequences => new() { Rows = _rows, Offsets = _offsets };

    public TrainingBatch Batch =>
        new()
        {
            Sequences = Sequences,
            PredictionSteps = _steps,
            Positives = _positives,
            Weights = _weights,
            LogQ = _logQ,
            Negatives = _negatives,
            NegativeLogQ = _negativeLogQ,
            DrawnFrom = DrawnFrom,
            BankEntries = BankEntries,
            EnqueuePositives = Enqueue,
            LearningRate = LearningRate,
            Step = Step,
        };
}
