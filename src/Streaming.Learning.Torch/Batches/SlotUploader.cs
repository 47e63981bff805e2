using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Batches;

/// <summary>Finds a step's distinct items on the host; histories and candidates are slots into them.</summary>
/// <param name="device">The target device.</param>
/// <param name="loss">The uniform loss keeps draws that hit a row's positive, so its negatives have no item id.</param>
internal sealed class SlotUploader(Device device, LossKind loss) : BatchUploader(device)
{
    private readonly bool _drawnAreMasked = loss != LossKind.Uniform;
    private readonly RowSlots _slots = new();
    private readonly HostBuffer<long> _integers = new(ScalarType.Int64);

    /// <inheritdoc/>
    public override DeviceBatch Upload(in TrainingBatch batch)
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
        Tensor uploaded = _integers.Upload(Device);
        (Tensor logQ, Tensor shares) = UploadNumbers(batch);
        return new DeviceBatch(
            uploaded.narrow(0, distinctAt, _slots.Count),
            uploaded.narrow(0, 0, padded).view(batch.Sequences.Count, steps - 1),
            uploaded.narrow(0, padded, rows),
            uploaded.narrow(0, padded + rows, candidates),
            uploaded.narrow(0, padded + rows + candidates, candidates),
            logQ,
            shares,
            batch.DrawnFrom
        );
    }

    /// <inheritdoc/>
    public override DeviceBatch Upload(in JaggedRows sequences)
    {
        int steps = Steps(sequences),
            padded = sequences.Count * (steps - 1);
        _slots.Clear();
        _integers.Reserve(padded + sequences.Count + sequences.Rows.Length);
        Span<long> integers = _integers.Values;
        FillHistories(sequences, steps - 1, integers[..padded]);
        FillLast(sequences, steps, integers.Slice(padded, sequences.Count));
        LayDistinct(integers[(padded + sequences.Count)..]);
        Tensor uploaded = _integers.Upload(Device),
            none = uploaded.narrow(0, 0, 0);
        return new DeviceBatch(
            uploaded.narrow(0, padded + sequences.Count, _slots.Count),
            uploaded.narrow(0, 0, padded).view(sequences.Count, steps - 1),
            uploaded.narrow(0, padded, sequences.Count),
            none,
            none,
            none,
            none
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

        return _integers.Upload(Device);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _integers.Dispose();
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
}
