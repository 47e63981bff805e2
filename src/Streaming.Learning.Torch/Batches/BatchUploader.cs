using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Batches;

/// <summary>Prepares a batch for the device and copies it there: one copy of integers, one of floats.</summary>
internal sealed class BatchUploader : IDisposable
{
    private readonly Device _device;
    private readonly bool _drawnAreMasked;
    private readonly RowSlots _slots = new();
    private readonly HostBuffer<long> _integers = new(ScalarType.Int64);
    private readonly HostBuffer<double> _numbers = new(ScalarType.Float64);

    /// <summary>Creates the uploader.</summary>
    /// <param name="device">The target device.</param>
    /// <param name="loss">The uniform loss keeps draws that hit a row's positive, so its negatives have no item id.</param>
    public BatchUploader(Device device, LossKind loss)
    {
        _device = device;
        _drawnAreMasked = loss != LossKind.Uniform;
    }

    /// <summary>Uploads a training batch, into the caller's dispose scope.</summary>
    public DeviceBatch Upload(in TrainingBatch batch)
    {
        int steps = Steps(batch.Sequences);
        int padded = batch.Sequences.Count * (steps - 1),
            rows = batch.Positives.Length,
            candidates = rows + batch.Negatives.Length;
        _slots.Clear();
        _integers.Reserve(padded + rows + (2 * candidates) + batch.Sequences.Rows.Length + candidates);
        Span<long> integers = _integers.Values;
        FillHistories(batch.Sequences, steps - 1, integers[..padded]);
        FillPredictions(batch.Sequences, batch.PredictionSteps, steps, integers.Slice(padded, rows));
        LayCandidates(batch, integers.Slice(padded + rows, candidates), integers.Slice(padded + rows + candidates, candidates));
        int distinctAt = padded + rows + (2 * candidates);
        LayDistinct(integers[distinctAt..]);
        LayNumbers(batch, candidates);

        Tensor uploaded = _integers.Upload(_device);
        Tensor numbers = _numbers.Upload(_device);
        return new DeviceBatch(
            uploaded.narrow(0, distinctAt, _slots.Count),
            uploaded.narrow(0, 0, padded).view(batch.Sequences.Count, steps - 1),
            uploaded.narrow(0, padded, rows),
            uploaded.narrow(0, padded + rows, candidates),
            uploaded.narrow(0, padded + rows + candidates, candidates),
            numbers.narrow(0, 0, candidates).to_type(ScalarType.Float32),
            numbers.narrow(0, candidates, rows),
            batch.DrawnFrom
        );
    }

    /// <summary>Uploads histories to encode at their last step: a batch without candidates.</summary>
    public DeviceBatch Upload(in JaggedRows sequences)
    {
        int steps = Steps(sequences),
            padded = sequences.Count * (steps - 1);
        _slots.Clear();
        _integers.Reserve(padded + sequences.Count + sequences.Rows.Length);
        Span<long> integers = _integers.Values;
        FillHistories(sequences, steps - 1, integers[..padded]);
        for (int s = 0; s < sequences.Count; s++)
        {
            integers[padded + s] = ((long)s * steps) + sequences.Offsets[s + 1] - sequences.Offsets[s];
        }

        LayDistinct(integers[(padded + sequences.Count)..]);
        Tensor uploaded = _integers.Upload(_device);
        return new DeviceBatch(
            uploaded.narrow(0, padded + sequences.Count, _slots.Count),
            uploaded.narrow(0, 0, padded).view(sequences.Count, steps - 1),
            uploaded.narrow(0, padded, sequences.Count),
            uploaded.narrow(0, 0, 0),
            uploaded.narrow(0, 0, 0),
            uploaded.narrow(0, 0, 0),
            uploaded.narrow(0, 0, 0)
        );
    }

    /// <summary>Uploads item rows, into the caller's dispose scope.</summary>
    public Tensor Upload(ReadOnlySpan<int> rows)
    {
        _integers.Reserve(rows.Length);
        Span<long> integers = _integers.Values;
        for (int i = 0; i < rows.Length; i++)
        {
            integers[i] = rows[i];
        }

        return _integers.Upload(_device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _integers.Dispose();
        _numbers.Dispose();
    }

    // Of the longest sequence, including its start. Multiples of four: matrix products need aligned rows to run at full speed.
    private static int Steps(in JaggedRows sequences)
    {
        int longest = 0;
        for (int s = 0; s < sequences.Count; s++)
        {
            longest = Math.Max(longest, sequences.Offsets[s + 1] - sequences.Offsets[s]);
        }

        return longest == 0 ? 1 : (longest + 4) & ~3;
    }

    // Steps after the end of a history reach no prediction and get no gradient. Their items are spread out, because gradients of
    // the same item are accumulated one after another.
    private void FillHistories(in JaggedRows sequences, int length, Span<long> padded)
    {
        int filler = 0;
        for (int s = 0; s < sequences.Count; s++)
        {
            Span<long> target = padded.Slice(s * length, length);
            int start = sequences.Offsets[s],
                end = sequences.Offsets[s + 1];
            for (int i = start; i < end; i++)
            {
                target[i - start] = _slots.Add(sequences.Rows[i]);
            }

            foreach (ref long slot in target[(end - start)..])
            {
                filler = filler + 1 < _slots.Count ? filler + 1 : 0;
                slot = filler;
            }
        }
    }

    // Concatenated steps → rows of the padded layout. Predictions ascend, so one pass over the sequences finds theirs.
    private static void FillPredictions(in JaggedRows sequences, ReadOnlySpan<int> predictions, int steps, Span<long> target)
    {
        int s = 0;
        for (int i = 0; i < predictions.Length; i++)
        {
            while (predictions[i] > sequences.Offsets[s + 1] + s)
            {
                s++;
            }

            target[i] = ((long)s * steps) + predictions[i] - (sequences.Offsets[s] + s);
        }
    }

    private void LayCandidates(in TrainingBatch batch, Span<long> slots, Span<long> rows)
    {
        for (int i = 0; i < slots.Length; i++)
        {
            bool drawn = i >= batch.Positives.Length;
            int row = drawn ? batch.Negatives[i - batch.Positives.Length] : batch.Positives[i];
            rows[i] = drawn && !_drawnAreMasked ? -1 : row;
            slots[i] = _slots.Add(row);
        }
    }

    private void LayDistinct(Span<long> target)
    {
        ReadOnlySpan<int> rows = _slots.Rows;
        for (int i = 0; i < rows.Length; i++)
        {
            target[i] = rows[i];
        }
    }

    private void LayNumbers(in TrainingBatch batch, int candidates)
    {
        int rows = batch.Positives.Length;
        _numbers.Reserve(candidates + rows);
        Span<double> numbers = _numbers.Values;
        numbers[..candidates].Clear();
        for (int i = 0; i < batch.LogQ.Length; i++)
        {
            numbers[i] = batch.LogQ[i];
        }

        for (int i = 0; i < batch.NegativeLogQ.Length; i++)
        {
            numbers[rows + i] = batch.NegativeLogQ[i];
        }

        double total = 0;
        foreach (float weight in batch.Weights)
        {
            total += weight;
        }

        for (int i = 0; i < rows; i++)
        {
            numbers[candidates + i] = total > 0 ? batch.Weights[i] / total : 0;
        }
    }
}
