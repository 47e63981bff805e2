using Streaming.Models.State;

namespace Streaming.Models.Batches;

/// <summary>
/// The sequences and predictions of a batch as a plan of work: where sequences start, which encoded item belongs to each step,
/// and chunks of whole sequences. Reused across steps.
/// </summary>
public sealed class StepPlan
{
    private int[] _starts = [];
    private int[] _slots = [];
    private int[] _predictions = [];
    private Chunk[] _chunks = [];

    /// <summary>Gets the number of sequences.</summary>
    public int SequenceCount { get; private set; }

    /// <summary>Gets the number of steps, P: the items plus one start per sequence.</summary>
    public int StepCount { get; private set; }

    /// <summary>Gets the number of predictions, B.</summary>
    public int PredictionCount { get; private set; }

    /// <summary>Gets the number of chunks.</summary>
    public int ChunkCount { get; private set; }

    /// <summary>Gets the first step of each sequence, then the end.</summary>
    public ReadOnlySpan<int> Starts => _starts.AsSpan(0, SequenceCount + 1);

    /// <summary>Gets the slot of the encoded item at each step; −1 for the start vector.</summary>
    public ReadOnlySpan<int> Slots => _slots.AsSpan(0, StepCount);

    /// <summary>Gets the step of each prediction, ascending.</summary>
    public ReadOnlySpan<int> Predictions => _predictions.AsSpan(0, PredictionCount);

    /// <summary>A chunk.</summary>
    public Chunk ChunkAt(int index) => _chunks[index];

    /// <summary>Plans a batch and assigns its items slots of <paramref name="slots"/>.</summary>
    /// <param name="sequences">The histories.</param>
    /// <param name="predictions">Steps of the predictions, ascending; empty: the last step of each sequence.</param>
    /// <param name="slots">Distinct items.</param>
    /// <param name="chunkSteps">Target number of steps per chunk.</param>
    public void Plan(in JaggedRows sequences, ReadOnlySpan<int> predictions, RowSlots slots, int chunkSteps)
    {
        SequenceCount = sequences.Count;
        StepCount = sequences.Rows.Length + sequences.Count;
        PredictionCount = predictions.IsEmpty ? sequences.Count : predictions.Length;
        Buffers.Grow(ref _starts, SequenceCount + 1);
        Buffers.Grow(ref _slots, StepCount);
        Buffers.Grow(ref _predictions, PredictionCount);
        for (int s = 0, step = 0; s < SequenceCount; s++)
        {
            _starts[s] = step;
            _slots[step++] = -1;
            foreach (int row in sequences.Rows[sequences.Offsets[s]..sequences.Offsets[s + 1]])
            {
                _slots[step++] = slots.Add(row);
            }

            if (predictions.IsEmpty)
            {
                _predictions[s] = step - 1;
            }
        }

        _starts[SequenceCount] = StepCount;
        predictions.CopyTo(_predictions);
        Cut(chunkSteps);
    }

    private void Cut(int chunkSteps)
    {
        ChunkCount = 0;
        int sequence = 0,
            prediction = 0;
        while (sequence < SequenceCount)
        {
            int first = sequence,
                firstPrediction = prediction;
            do
            {
                sequence++;
            } while (sequence < SequenceCount && _starts[sequence + 1] - _starts[first] <= chunkSteps);

            while (prediction < PredictionCount && _predictions[prediction] < _starts[sequence])
            {
                prediction++;
            }

            Buffers.Extend(ref _chunks, ChunkCount + 1);
            _chunks[ChunkCount++] = new Chunk(
                first,
                sequence - first,
                _starts[first],
                _starts[sequence] - _starts[first],
                firstPrediction,
                prediction - firstPrediction
            );
        }
    }
}
