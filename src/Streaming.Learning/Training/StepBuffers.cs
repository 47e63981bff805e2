using Streaming.Learning.Engine;
using Streaming.Learning.Frequency;
using Streaming.Learning.Items;
using Streaming.Models.Batches;

namespace Streaming.Learning.Training;

/// <summary>The rows of one step: sequences, predictions, positives, weights and ln q, concatenated.</summary>
internal sealed class StepBuffers
{
    private readonly int _historyLength;
    private int[] _rows = [];
    private int[] _offsets = [0];
    private int[] _predictionSteps = [];
    private int[] _positives = [];
    private float[] _weights = [];
    private float[] _logQ = [];
    private int _sequences;

    /// <summary>Creates buffers that grow to the largest batch and are then reused.</summary>
    /// <param name="historyLength">Maximum items per sequence.</param>
    public StepBuffers(int historyLength) => _historyLength = historyLength;

    /// <summary>Gets the number of predictions.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<int> Positives => _positives.AsSpan(0, Count);

    /// <summary>Gets the item rows of all histories.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, _offsets[_sequences]);

    /// <summary>Clears the buffers and reserves space.</summary>
    /// <param name="sequences">Maximum number of sequences.</param>
    /// <param name="predictions">Maximum number of predictions.</param>
    public void Begin(int sequences, int predictions)
    {
        Count = 0;
        _sequences = 0;
        if (_offsets.Length <= sequences)
        {
            Array.Resize(ref _rows, sequences * _historyLength);
            Array.Resize(ref _offsets, sequences + 1);
        }

        if (_positives.Length < predictions)
        {
            Array.Resize(ref _predictionSteps, predictions);
            Array.Resize(ref _positives, predictions);
            Array.Resize(ref _weights, predictions);
            Array.Resize(ref _logQ, predictions);
        }
    }

    /// <summary>Adds an example; a history that is too long is cut to its newest items.</summary>
    /// <param name="items">Maps items to rows.</param>
    /// <param name="frequency">Gives ln q.</param>
    /// <param name="positive">The item that follows the history.</param>
    /// <param name="weight">Weight of each prediction.</param>
    /// <param name="history">The history, oldest first.</param>
    /// <param name="earlier">How many items of the history are predicted too, each from those before it.</param>
    /// <param name="random">Decides which.</param>
    public void Add(
        ItemTable items,
        FrequencyEstimator frequency,
        ulong positive,
        float weight,
        ReadOnlySpan<ulong> history,
        int earlier = 0,
        ulong random = 0
    )
    {
        history = history.Length > _historyLength ? history[^_historyLength..] : history;
        int start = _offsets[_sequences];
        for (int i = 0; i < history.Length; i++)
        {
            _rows[start + i] = items.RowOf(history[i]);
        }

        // A sequence of n items has n + 1 steps: each earlier sequence adds one step more than it has items.
        int firstStep = start + _sequences;
        _offsets[++_sequences] = start + history.Length;

        // One of each stratum of the history: spread out, and in order. The first item has nothing before it.
        int candidates = Math.Max(0, history.Length - 1);
        earlier = Math.Min(earlier, candidates);
        for (int i = 0; i < earlier; i++)
        {
            int from = 1 + (candidates * i / earlier);
            int step = from + KeyMix.Reduce(KeyMix.Mix(random, (ulong)i), 1 + (candidates * (i + 1) / earlier) - from);
            Add(firstStep + step, _rows[start + step], weight, frequency.LogProbability(history[step]));
        }

        Add(firstStep + history.Length, items.RowOf(positive), weight, frequency.LogProbability(positive));
    }

    /// <summary>The batch over these rows; the caller sets the rest.</summary>
    public TrainingBatch ToBatch() =>
        new()
        {
            Sequences = new JaggedRows { Rows = Rows, Offsets = _offsets.AsSpan(0, _sequences + 1) },
            PredictionSteps = _predictionSteps.AsSpan(0, Count),
            Positives = Positives,
            Weights = _weights.AsSpan(0, Count),
            LogQ = _logQ.AsSpan(0, Count),
        };

    private void Add(int step, int positive, float weight, float logQ)
    {
        _predictionSteps[Count] = step;
        _positives[Count] = positive;
        _weights[Count] = weight;
        _logQ[Count] = logQ;
        Count++;
    }
}
