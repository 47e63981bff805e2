using System.Runtime.InteropServices;
using Streaming.Learning.Torch.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Items;

/// <summary>Launches of Items.cu. The host never waits for the number of distinct rows: it knows only a bound.</summary>
internal sealed class RowCalls(ItemKernels kernels, int dimension)
{
    private readonly KernelCall _call = new(kernels.Device);

    /// <summary>Numbers the distinct rows of entries.</summary>
    /// <param name="entries">[N] int32, N ≥ 1.</param>
    /// <param name="most">What the number of distinct rows does not exceed.</param>
    public StepRows Number(Tensor entries, int most)
    {
        int count = (int)entries.shape[0];
        Device device = entries.device;
        Tensor keys = empty(count, dtype: ScalarType.Int64, device: device);
        _call.Of(kernels.Key).With(entries).With(count).With(keys).Launch(Grid(count), ItemKernels.Threads);
        keys = keys.sort(0).Values;
        Tensor marks = empty(count, dtype: ScalarType.Int32, device: device);
        _call.Of(kernels.Mark).With(keys).With(count).With(marks).Launch(Grid(count), ItemKernels.Threads);
        Tensor numbers = marks.cumsum(0, ScalarType.Int32);
        var rows = new StepRows(
            keys,
            numbers,
            empty(count, dtype: ScalarType.Int32, device: device),
            empty(most, dtype: ScalarType.Int64, device: device),
            empty(most + 1, dtype: ScalarType.Int32, device: device),
            empty(1, dtype: ScalarType.Int32, device: device)
        );
        _call.Of(kernels.Number).With(keys).With(numbers).With(count).With(most);
        _call.With(rows.Slots).With(rows.Distinct).With(rows.Begins).With(rows.Count).Launch(Grid(count), ItemKernels.Threads);
        return rows;
    }

    /// <summary>Vectors of a source [count × D].</summary>
    public Tensor Gather(RowSource source, long count, Device device)
    {
        Tensor vectors = empty(count, dimension, dtype: ScalarType.Float32, device: device);
        if (count > 0)
        {
            _call.Of(kernels.Gather).With(source).With((int)count).With(vectors).LaunchWarps(count);
        }

        return vectors;
    }

    /// <summary>Sums of each row's gradients [most × D], zeros after the last row.</summary>
    /// <param name="rows">The rows of the entries.</param>
    /// <param name="steps">[S·T × D] by the steps of sequences; the first of each is no entry.</param>
    /// <param name="candidates">[G × D] by the candidates.</param>
    /// <param name="sequences">S.</param>
    public Tensor Sum(StepRows rows, Tensor steps, Tensor candidates, long sequences)
    {
        using DisposeScope scope = NewDisposeScope();
        long entries = rows.Keys.shape[0],
            most = rows.Distinct.shape[0],
            chunks = (entries + ItemKernels.Chunk - 1) / ItemKernels.Chunk;
        var gradients = new EntryGradients
        {
            Steps = KernelCall.Address(steps),
            Candidates = KernelCall.Address(candidates),
            Histories = (int)(steps.shape[0] - sequences),
            PerSequence = (int)Math.Max(1, (steps.shape[0] / sequences) - 1),
        };
        Tensor sums = empty(most, dimension, dtype: ScalarType.Float32, device: steps.device);
        Tensor partial = empty(2 * chunks, dimension, dtype: ScalarType.Float32, device: steps.device);
        _call.Of(kernels.SumChunks).With(gradients).With(rows.Keys).With(rows.Numbers).With(rows.Begins).With(rows.Count);
        _call.With(sums).With(partial).LaunchWarps(chunks);
        _call.Of(kernels.SumParts).With(rows.Begins).With(rows.Count).With((int)most).With(partial).With(sums).LaunchWarps(most);
        return sums.MoveToOuterDisposeScope();
    }

    private static (int X, int Y) Grid(int count) => ((count + ItemKernels.Threads - 1) / ItemKernels.Threads, 1);

    /// <summary>Gradients of Items.cu.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct EntryGradients
    {
        public nint Steps;
        public nint Candidates;
        public int Histories;
        public int PerSequence;
    }
}
