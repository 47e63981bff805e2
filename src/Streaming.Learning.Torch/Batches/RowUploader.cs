using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Streaming.Learning.Torch.Batches;

/// <summary>Copies item rows as they are: kernels find the distinct ones on the device.</summary>
/// <param name="device">The target device.</param>
/// <param name="loss">The uniform loss keeps draws that hit a row's positive, so its negatives have no item id.</param>
internal sealed class RowUploader(Device device, LossKind loss) : BatchUploader(device)
{
    private readonly HostBuffer<int> _integers = new(ScalarType.Int32);

    /// <inheritdoc/>
    public override DeviceBatch Upload(in TrainingBatch batch)
    {
        int steps = Steps(batch.Sequences),
            padded = batch.Sequences.Count * (steps - 1),
            rows = batch.Positives.Length,
            entries = padded + rows + batch.Negatives.Length;
        _integers.Reserve(entries + rows);
        Span<int> integers = _integers.Values;
        FillHistories(batch.Sequences, steps - 1, integers[..padded]);
        batch.Positives.CopyTo(integers[padded..]);
        batch.Negatives.CopyTo(integers[(padded + rows)..]);
        FillPredictions(batch.Sequences, batch.PredictionSteps, steps, integers[entries..]);
        (Tensor logQ, Tensor shares) = UploadNumbers(batch);
        DeviceBatch uploaded = Upload(
            batch.Sequences.Count,
            padded,
            entries,
            Bound(batch.Sequences.Rows, batch.Positives, batch.Negatives)
        );
        return uploaded with
        {
            CandidateRows = CandidateRows(uploaded.CandidateSlots, rows),
            CandidateLogQ = logQ,
            Shares = shares,
            DrawnFrom = batch.DrawnFrom,
        };
    }

    /// <inheritdoc/>
    public override DeviceBatch Upload(in JaggedRows sequences)
    {
        int steps = Steps(sequences),
            padded = sequences.Count * (steps - 1);
        _integers.Reserve(padded + sequences.Count);
        Span<int> integers = _integers.Values;
        FillHistories(sequences, steps - 1, integers[..padded]);
        FillLast(sequences, steps, integers[padded..]);
        return Upload(sequences.Count, padded, padded, Bound(sequences.Rows, [], []));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _integers.Dispose();
    }

    private static void FillHistories(in JaggedRows sequences, int length, Span<int> padded)
    {
        for (int s = 0; s < sequences.Count; s++)
        {
            Span<int> target = padded.Slice(s * length, length);
            ReadOnlySpan<int> rows = sequences.Rows[sequences.Offsets[s]..sequences.Offsets[s + 1]];
            rows.CopyTo(target);
            target[rows.Length..].Fill(ItemKernels.Absent);
        }
    }

    // No more distinct rows than entries, nor than rows up to the highest.
    private static int Bound(ReadOnlySpan<int> histories, ReadOnlySpan<int> positives, ReadOnlySpan<int> negatives)
    {
        int highest = Math.Max(Highest(histories), Math.Max(Highest(positives), Highest(negatives)));
        return Math.Min(histories.Length + positives.Length + negatives.Length, highest + 1);
    }

    private static int Highest(ReadOnlySpan<int> rows) => rows.IsEmpty ? -1 : TensorPrimitives.Max(rows);

    private DeviceBatch Upload(int sequences, int padded, int entries, int bound)
    {
        Tensor uploaded = _integers.Upload(Device);
        Tensor none = uploaded.narrow(0, 0, 0);
        return new DeviceBatch(
            uploaded.narrow(0, 0, entries),
            uploaded.narrow(0, 0, padded).view(sequences, padded / sequences),
            uploaded.narrow(0, entries, uploaded.shape[0] - entries).to_type(ScalarType.Int64),
            uploaded.narrow(0, padded, entries - padded),
            none,
            none,
            none,
            MostRows: bound
        );
    }

    private Tensor CandidateRows(Tensor candidates, int positives)
    {
        Tensor rows = candidates.to_type(ScalarType.Int64);
        if (loss == LossKind.Uniform)
        {
            rows.narrow(0, positives, rows.shape[0] - positives).fill_(-1);
        }

        return rows;
    }
}
