namespace Streaming.Learning;

/// <summary>The rows of one step: sequences, positives, weights and ln q, end to end.</summary>
internal sealed class StepBuffers
{
    private readonly int _historyLength;
    private int[] _rows = [];
    private int[] _offsets = [0];
    private int[] _predictionSteps = [];
    private int[] _positives = [];
    private float[] _weights = [];
    private float[] _logQ = [];

    /// <summary>Creates buffers that grow to the largest batch and then stay.</summary>
    /// <param name="historyLength">Most items of a sequence.</param>
    public StepBuffers(int historyLength) => _historyLength = historyLength;

    /// <summary>Gets the number of examples.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<int> Positives => _positives.AsSpan(0, Count);

    public Span<float> LogQ => _logQ.AsSpan(0, Count);

    /// <summary>Gets the item rows of all histories.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, _offsets[Count]);

    /// <summary>Empties the buffers and makes room.</summary>
    public void Begin(int capacity)
    {
        Count = 0;
        if (_positives.Length < capacity)
        {
            Array.Resize(ref _rows, capacity * _historyLength);
            Array.Resize(ref _offsets, capacity + 1);
            Array.Resize(ref _predictionSteps, capacity);
            Array.Resize(ref _positives, capacity);
            Array.Resize(ref _weights, capacity);
            Array.Resize(ref _logQ, capacity);
        }
    }

    /// <summary>Adds an example; of a history that is too long the newest items count.</summary>
    public void Add(ItemTable items, ulong positive, float weight, float logQ, ReadOnlySpan<ulong> history)
    {
        history = history.Length > _historyLength ? history[^_historyLength..] : history;
        int end = _offsets[Count];
        foreach (ulong key in history)
        {
            _rows[end++] = items.RowOf(key);
        }

        _offsets[Count + 1] = end;

        // A sequence of n items has n + 1 steps; the prediction stands at its last.
        _predictionSteps[Count] = end + Count;
        _positives[Count] = items.RowOf(positive);
        _weights[Count] = weight;
        _logQ[Count] = logQ;
        Count++;
    }

    /// <summary>The batch over these rows; the caller adds the rest.</summary>
    public TrainingBatch ToBatch() => new()
    {
        Sequences = new JaggedRows { Rows = Rows, Offsets = _offsets.AsSpan(0, Count + 1) },
        PredictionSteps = _predictionSteps.AsSpan(0, Count),
        Positives = Positives,
        Weights = _weights.AsSpan(0, Count),
        LogQ = LogQ,
    };
}
