using System.Runtime.InteropServices;
using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Builds training steps from sequences: each sequence predicts every one of its items from the ones before it; the last item
/// is not an input. Long sequences are truncated to the last L + 1 items. For a tower with output at its last step only (mind),
/// each prefix of a sequence is a separate history.
/// </summary>
internal sealed class SequenceBatcher
{
    private readonly OfflineOptions _options;
    private readonly LossKind _loss;
    private readonly int _historyLength;
    private readonly bool _lastStepOnly;
    private readonly WeightList _sequenceWeights;
    private readonly float[] _logFrequency;
    private readonly List<int> _rows = [];
    private readonly List<int> _offsets = [];
    private readonly List<int> _steps = [];
    private readonly List<int> _positives = [];
    private readonly List<float> _logQ = [];
    private readonly List<float> _weights = [];
    private readonly int[] _catalogue;
    private readonly int[] _negatives;
    private readonly float[] _negativeLogQ;
    private readonly Random _random;

    /// <summary>Creates a batcher; counts how often the training sequences predict each item.</summary>
    /// <param name="split">The training sequences.</param>
    /// <param name="model">The model.</param>
    /// <param name="options">The number of negatives, and the bank's warm-up.</param>
    /// <param name="catalogue">The items that negatives are drawn from; null: all of the split.</param>
    public SequenceBatcher(OfflineSplit split, ModelOptions model, OfflineOptions options, int[]? catalogue = null)
    {
        _options = options;
        _loss = model.Loss;
        _historyLength = model.HistoryLength;
        _lastStepOnly = model.Tower == TowerKind.Mind;
        _sequenceWeights = split.TrainWeights;
        _random = new Random(unchecked((int)model.Seed));
        _logFrequency = [.. Frequencies(split).Select(q => (float)Math.Log(Math.Max(q, 1e-12)))];
        _catalogue = catalogue ?? [.. Enumerable.Range(0, split.ItemCount)];
        _negatives = _loss switch
        {
            LossKind.Full => _catalogue,
            _ when _loss.DrawsUniformly() => new int[options.UniformNegatives],
            _ => [],
        };
        _negativeLogQ = new float[_negatives.Length];
    }

    /// <summary>Gets the number of predictions in the current step.</summary>
    public int Predictions => _positives.Count;

    /// <summary>Fills the step with sequences.</summary>
    /// <param name="sequences">The training sequences.</param>
    /// <param name="chosen">Indices of the sequences to use.</param>
    public void Fill(JaggedList sequences, ReadOnlySpan<int> chosen)
    {
        _rows.Clear();
        _offsets.Clear();
        _steps.Clear();
        _positives.Clear();
        _logQ.Clear();
        _weights.Clear();
        _offsets.Add(0);
        foreach (int sequence in chosen)
        {
            Add(sequences[sequence], _sequenceWeights[sequence]);
        }

        DrawNegatives();
    }

    /// <summary>Gets the step in the engine's format; valid until the next <see cref="Fill"/>.</summary>
    public TrainingBatch Batch(long step, float learningRate, int bankCount) =>
        new()
        {
            Sequences = new JaggedRows { Rows = CollectionsMarshal.AsSpan(_rows), Offsets = CollectionsMarshal.AsSpan(_offsets) },
            PredictionSteps = CollectionsMarshal.AsSpan(_steps),
            Positives = CollectionsMarshal.AsSpan(_positives),
            Weights = CollectionsMarshal.AsSpan(_weights),
            LogQ = CollectionsMarshal.AsSpan(_logQ),
            Negatives = _negatives,
            NegativeLogQ = _negativeLogQ,
            DrawnFrom = _loss.MixesDraws() ? _catalogue.Length : 0,
            BankEntries = _loss.UsesBank() && step >= _options.BankWarmupSteps ? bankCount : 0,
            EnqueuePositives = _loss.UsesBank(),
            LearningRate = learningRate,
            Step = step,
        };

    private static double[] Frequencies(OfflineSplit split)
    {
        double[] counts = new double[split.ItemCount];
        for (int i = 0; i < split.Train.Count; i++)
        {
            ReadOnlySpan<int> sequence = split.Train[i];
            ReadOnlySpan<float> weights = split.TrainWeights[i];
            for (int place = 0; place < sequence.Length; place++)
            {
                counts[sequence[place]] += weights[place] > 0 ? 1 : 0;
            }
        }

        double total = Math.Max(1, counts.Sum());
        return [.. counts.Select(count => count / total)];
    }

    private void Add(ReadOnlySpan<int> sequence, ReadOnlySpan<float> weights)
    {
        bool cut = sequence.Length > _historyLength + 1;
        sequence = cut ? sequence[^(_historyLength + 1)..] : sequence;
        weights = weights[^sequence.Length..];

        // The start vector represents a user without history: a window from the middle of a sequence predicts nothing from it.
        int first = cut ? 1 : 0;
        if (_lastStepOnly)
        {
            for (int i = first; i < sequence.Length; i++)
            {
                if (weights[i] > 0)
                {
                    AddHistory(sequence[..i]);
                    AddPrediction(_rows.Count + _offsets.Count - 2, sequence[i], weights[i]);
                }
            }

            return;
        }

        int firstStep = _rows.Count + _offsets.Count - 1;
        AddHistory(sequence[..^1]);
        for (int i = first; i < sequence.Length; i++)
        {
            if (weights[i] > 0)
            {
                AddPrediction(firstStep + i, sequence[i], weights[i]);
            }
        }
    }

    private void AddHistory(ReadOnlySpan<int> items)
    {
        _rows.AddRange(items);
        _offsets.Add(_rows.Count);
    }

    private void AddPrediction(int step, int item, float weight)
    {
        _steps.Add(step);
        _positives.Add(item);
        _weights.Add(weight);
        _logQ.Add(_logFrequency[item]);
    }

    private void DrawNegatives()
    {
        if (_loss == LossKind.Full)
        {
            return;
        }

        for (int i = 0; i < _negatives.Length; i++)
        {
            _negatives[i] = _catalogue[_random.Next(_catalogue.Length)];
            _negativeLogQ[i] = _logFrequency[_negatives[i]];
        }
    }
}
