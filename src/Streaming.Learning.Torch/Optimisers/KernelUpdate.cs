using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Items;
using Streaming.Learning.Torch.State;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Optimisers;

/// <summary>
/// The update of a step by Update.cu, in five launches: norm, clip and decision on the device, then all dense parameters and all item
/// rows of the step. The same as <see cref="DenseAdamW"/> and <see cref="RowOptimizer"/>.
/// </summary>
internal sealed class KernelUpdate : IDisposable
{
    // Blocks per multiprocessor that share a sum.
    private const int Waves = 4;

    // Gate of the source: six doubles.
    private const int GateLength = 6;

    private readonly UpdateKernels _kernels;
    private readonly KernelCall _call;
    private readonly DenseParameters _dense;
    private readonly DeviceItems _items;
    private readonly ModelOptions _model;
    private readonly Tensor _gate;

    public KernelUpdate(UpdateKernels kernels, DenseParameters dense, DeviceItems items, ModelOptions model)
    {
        _kernels = kernels;
        _call = new KernelCall(kernels.Device);
        (_dense, _items, _model) = (dense, items, model);
        _gate = zeros(GateLength, dtype: ScalarType.Float64, device: dense.Values.device).DetachFromDisposeScope();
    }

    /// <summary>Queues the update. Call under <c>no_grad</c>.</summary>
    /// <param name="gradients">Of the step; the dense parameters' are with them.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="summary">Losses [K], norm, and the number of updates so far, float64.</param>
    /// <returns>Bool scalar: loss and gradients are finite. If false nothing changes.</returns>
    public Tensor Apply(StepGradients gradients, float learningRate, out Tensor summary)
    {
        Device device = _gate.device;
        var settings = new UpdateSettings(_model, learningRate);
        Tensor applies = empty(1, dtype: ScalarType.Bool, device: device);
        summary = empty(_model.Widths.Count + 2, dtype: ScalarType.Float64, device: device);
        using DisposeScope scope = NewDisposeScope();
        Tensor squares = Squares(gradients.Ids?.Values);
        _call.Of(_kernels.Gate).With(squares).With((int)squares.shape[0]).With(gradients.Losses).With(settings);
        _call.With(_items.Updates).With(_items.LogDecay).With(_gate).With(applies).With(summary);
        _call.Launch((1, 1), UpdateKernels.Threads, SharedBytes);
        UpdateDense(settings);
        if (gradients.Ids is { } ids)
        {
            _call.Of(_kernels.Rows).With(_gate).With(settings).With(ids.Rows).With(ids.Count).With(ids.Values).With(_items.Embeddings);
            _call.With(_items.Adam ? _items.FirstMoments : null).With(_items.SecondMoments).With(_items.Updated);
            _call.With(_items.LogDecays).LaunchWarps(ids.Rows.shape[0]);
        }

        return applies;
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    // A double of each warp.
    private static int SharedBytes => UpdateKernels.Threads / 32 * sizeof(double);

    private Tensor Squares(Tensor? ids)
    {
        int dense = Blocks(_dense.Gradients.NumberOfElements),
            rows = ids is null ? 0 : Blocks(ids.NumberOfElements);
        Tensor squares = empty(dense + rows, dtype: ScalarType.Float64, device: _gate.device);
        AddSquares(_dense.Gradients, squares.narrow(0, 0, dense));
        if (ids is not null)
        {
            AddSquares(ids, squares.narrow(0, dense, rows));
        }

        return squares;
    }

    private void AddSquares(Tensor values, Tensor squares) =>
        _call
            .Of(_kernels.Squares)
            .With(values)
            .With(values.NumberOfElements)
            .With(squares)
            .Launch(((int)squares.shape[0], 1), UpdateKernels.Threads, SharedBytes);

    private void UpdateDense(UpdateSettings settings)
    {
        _call.Of(_kernels.Dense).With(_gate).With(settings).With(_dense.Gradients).With(_dense.DecayMask);
        _call.With(_dense.Values.NumberOfElements).With(_dense.Values).With(_dense.FirstMoments).With(_dense.SecondMoments);
        _call.Launch((Blocks(_dense.Values.NumberOfElements), 1), UpdateKernels.Threads);
    }

    private int Blocks(long values) =>
        (int)Math.Clamp((values + UpdateKernels.Threads - 1) / UpdateKernels.Threads, 1, Waves * _kernels.Device.Multiprocessors);
}
