using System.Numerics;
using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.Batches;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Batches;

/// <summary>Prepares a batch for the device and copies it there: one copy of integers, one of floats.</summary>
internal abstract class BatchUploader(Device device) : IDisposable
{
    private readonly HostBuffer<double> _numbers = new(ScalarType.Float64);

    /// <summary>Gets the target device.</summary>
    protected Device Device => device;

    /// <summary>Uploads a training batch, into the caller's dispose scope.</summary>
    public abstract DeviceBatch Upload(in TrainingBatch batch);

    /// <summary>Uploads histories to encode at their last step: a batch without candidates.</summary>
    public abstract DeviceBatch Upload(in JaggedRows sequences);

    /// <inheritdoc/>
    public virtual void Dispose() => _numbers.Dispose();

    /// <summary>Steps of the longest sequence, including its start. Multiples of four: matrix products need aligned rows to run at full
    /// speed.</summary>
    protected static int Steps(in JaggedRows sequences)
    {
        int longest = 0;
        for (int s = 0; s < sequences.Count; s++)
        {
            longest = Math.Max(longest, sequences.Offsets[s + 1] - sequences.Offsets[s]);
        }

        return longest == 0 ? 1 : (longest + 4) & ~3;
    }

    /// <summary>Concatenated steps → rows of the padded layout. Predictions ascend, so one pass over the sequences finds theirs.</summary>
    protected static void FillPredictions<T>(in JaggedRows sequences, ReadOnlySpan<int> predictions, int steps, Span<T> target)
        where T : unmanaged, IBinaryInteger<T>
    {
        int s = 0;
        for (int i = 0; i < predictions.Length; i++)
        {
            while (predictions[i] > sequences.Offsets[s + 1] + s)
            {
                s++;
            }

            target[i] = T.CreateChecked(((long)s * steps) + predictions[i] - (sequences.Offsets[s] + s));
        }
    }

    /// <summary>The rows of the padded layout of each sequence's last step.</summary>
    protected static void FillLast<T>(in JaggedRows sequences, int steps, Span<T> target)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int s = 0; s < sequences.Count; s++)
        {
            target[s] = T.CreateChecked(((long)s * steps) + sequences.Offsets[s + 1] - sequences.Offsets[s]);
        }
    }

    /// <summary>Uploads ln p of the candidates, and each prediction's weight over the sum of all.</summary>
    protected (Tensor LogQ, Tensor Shares) UploadNumbers(in TrainingBatch batch)
    {
        int rows = batch.Positives.Length,
            candidates = rows + batch.Negatives.Length;
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

        Tensor uploaded = _numbers.Upload(device);
        return (uploaded.narrow(0, 0, candidates).to_type(ScalarType.Float32), uploaded.narrow(0, candidates, rows));
    }
}
