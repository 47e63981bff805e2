using System.Runtime.InteropServices;
using Streaming.Learning.Engine;
using Streaming.Learning.Losses;
using Streaming.Learning.Torch.Bank;
using Streaming.Learning.Torch.Batches;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Fused;
using Streaming.Learning.Torch.Items;
using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.Optimisers;
using Streaming.Learning.Torch.Passes;
using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Timing;
using Streaming.Learning.Torch.Towers;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Engine;

/// <summary>
/// The training engine on TorchSharp: modules with autograd below the user vectors, the loss with explicit gradients; item table,
/// bank and all moments on the device. Parameters, state and semantics equal the CPU engine's.
/// </summary>
/// <remarks>
/// The device determines the order of sums: results agree with the CPU engine's within float32 rounding, not bitwise. On the same
/// kind of device and library version runs are bitwise reproducible. Dropout masks are device-specific. Not thread-safe.
/// </remarks>
public sealed partial class TorchEngine : TrainingEngine
{
    private readonly TorchEngineOptions _options;
    private readonly Device _device;
    private readonly DenseParameters _dense;
    private readonly DeviceItems _items;
    private readonly ItemModule _itemModule;
    private readonly TowerModule _tower;
    private readonly IEncoderPass _pass;
    private readonly DropoutSource _dropout;
    private readonly ISoftmaxLoss _loss;
    private readonly DeviceKernels _kernels;
    private readonly KernelUpdate? _update;
    private readonly DenseAdamW _denseOptimizer;
    private readonly RowOptimizer _rowOptimizer;
    private readonly DeviceBank _bank;
    private readonly SlotUploader _uploader;
    private readonly DeviceMemory _memory;
    private readonly HostReads _reads = new();
    private readonly double[] _losses;
    private long _step;
    private long _unread;
    private double _updatesRead;
    private (double Loss, double Norm) _lastRead;

    /// <summary>Creates an engine with initial parameters, an empty item table and an empty bank.</summary>
    /// <param name="model">Shape and hyper-parameters.</param>
    /// <param name="options">Device and memory.</param>
    /// <exception cref="ArgumentException">Options are invalid; names each.</exception>
    /// <exception cref="TorchDeviceException">The device is unusable, or the model does not fit on it.</exception>
    public TorchEngine(ModelOptions model, TorchEngineOptions options)
        : this(model, options, device: null) { }

    /// <summary>As above, with kernels on a given device in place of the GPU's; the engine disposes it.</summary>
    internal TorchEngine(ModelOptions model, TorchEngineOptions options, IKernelDevice? device)
        : base(model)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _device = TorchDevices.Open(options.Device, options.Tf32);
        using DisposeScope scope = NewDisposeScope();
        var increments = new Increments(model.Widths);
        _losses = new double[increments.Count];
        _memory = new DeviceMemory(options.ChunkBytes);
        _uploader = new SlotUploader(_device, model.Loss);
        try
        {
            _dense = new DenseParameters(ModelDeclaration.Create(model), _device);
            _items = new DeviceItems(model, _device);
            _bank = new DeviceBank(model.BankCapacity, model.Dimension, _device, model.DistinctBank);
        }
        catch (ExternalException error) when (DeviceMemory.IsExhausted(error))
        {
            throw new TorchDeviceException(
                $"The model does not fit on device '{options.Device}': {Sizes()}. Lower STREAMING__Model__ItemCapacity, "
                    + $"STREAMING__Model__BankCapacity or the widths. The device reported: {TorchDevices.FirstLine(error)}.",
                error
            );
        }

        _dropout = new DropoutSource(model, increments, _device);
        _itemModule = new ItemModule(_dense, _items, model);
        _tower = TowerModule.Create(_dense, model, increments, _dropout);
        _kernels = DeviceKernels.Choose(options, _device, model, device);
        _loss = _kernels.Softmax is { } softmax
            ? new KernelSoftmaxLoss(model, softmax, _device)
            : new NestedSoftmaxLoss(model, increments, _device);
        _pass = _kernels.Items is { } itemKernels
            ? new KernelPass(
                new RowUploader(_device, model.Loss),
                new RowCalls(itemKernels, model.Dimension),
                _items,
                _itemModule,
                _tower,
                _kernels.Tower is { } tower ? new FusedFmrlRec(new FusedCalls(tower, _dropout, model.Dimension), _dense, model) : null,
                _dense
            )
            : new TorchPass(_uploader, _itemModule, _tower);
        _update = _kernels.Update is { } update ? new KernelUpdate(update, _dense, _items, model) : null;
        _denseOptimizer = new DenseAdamW(_dense, model);
        _rowOptimizer = new RowOptimizer(_items, model);
    }

    /// <summary>Checks that the device computes: loads libtorch and multiplies on it, faster than creating an engine.</summary>
    /// <exception cref="TorchDeviceException">The device is unusable: one line that says why and what to do.</exception>
    public static void RequireDevice(TorchEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        TorchDevices.Open(options.Device, options.Tf32);
    }

    /// <inheritdoc/>
    public override int BankCount => _bank.Count;

    /// <inheritdoc/>
    public override string Description =>
        $"torch (TorchSharp for libtorch {__version__}), {_options.Device}, "
        + $"{(_device.type == DeviceType.CUDA ? _options.Tf32 ? "TF32" : "float32" : $"{get_num_threads()} threads")}, "
        + _kernels.Description;

    /// <summary>Gets the number of times a step was retried with smaller chunks because the device ran out of memory.</summary>
    public int ChunkHalvings => _memory.Halvings;

    /// <summary>Gets the number of times the host waited for the device, other than for state and for a <see cref="Timer"/>.</summary>
    internal long Waits => _reads.Count;

    /// <summary>Gets or sets the timer for parts of a step; with one, the host waits after each part.</summary>
    internal StepTimer? Timer { get; set; }

    /// <inheritdoc/>
    public override void InitializeRow(int row, ulong itemKey)
    {
        BatchCheck.Rows(Model, [row], nameof(row));
        _items.Initialize(row, itemKey);
    }

    /// <inheritdoc/>
    public override void SetFeatures(int row, ReadOnlySpan<float> features)
    {
        BatchCheck.Features(Model, row, features);
        _items.SetFeatures(row, features);
    }

    /// <inheritdoc/>
    public override StepResult Step(in TrainingBatch batch)
    {
        BatchCheck.Verify(Model, batch);
        _items.Flush();
        using DisposeScope scope = NewDisposeScope();
        Timer?.Begin();
        DeviceBatch uploaded = _pass.Upload(batch);
        Timer?.Mark(StepPart.Upload);
        int entries = Model.Loss == LossKind.Full ? 0 : Math.Min(batch.BankEntries, _bank.Count);
        long step = batch.Step;
        int rows = batch.Positives.Length,
            scored = Scored(rows, batch.Negatives.Length) + entries;
        StepGradients gradients = _memory.Run(
            scored,
            _loss.BytesPerColumn(rows),
            columns => Compute(uploaded, entries, step, columns),
            () =>
                $"{rows} predictions, {uploaded.HistorySlots.shape[0]} histories of up to {uploaded.HistorySlots.shape[1]} items, {Sizes()}"
        );
        bool read = ++_unread >= _options.ReadLossEvery;
        Tensor applies = Apply(gradients, batch.LearningRate, out Tensor? summary);
        Timer?.Mark(StepPart.Update);
        bool applied = !read || Read(summary);
        if (applied)
        {
            _step = step;
            if (batch.EnqueuePositives && Model.BankCapacity > 0)
            {
                Enqueue(gradients.Positives, batch.Positives, applies, step, known: read && _options.ReadLossEvery == 1);
            }
        }

        Timer?.Mark(StepPart.Bank);
        return new StepResult(applied, _lastRead.Loss, _lastRead.Norm, _losses, scored) { IsRead = read };
    }

    /// <inheritdoc/>
    public override void ForgetRow(int row)
    {
        using IDisposable noGrad = no_grad();
        _bank.Forget(row);
    }

    /// <inheritdoc/>
    public override void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings)
    {
        if (entries.IsEmpty)
        {
            return;
        }

        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        CandidateBlock selected = _bank.Select(entries);
        _reads.Copy(selected.Vectors, embeddings);
        _reads.Copy(selected.Rows.to_type(ScalarType.Int32), rows);
        for (int i = 0; i < entries.Length; i++)
        {
            steps[i] = _bank.StepOf(entries[i]);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _tower.Dispose();
            _pass.Dispose();
            _update?.Dispose();
            _itemModule.Dispose();
            _dense.Dispose();
            _items.Dispose();
            _bank.Dispose();
            _dropout.Dispose();
            _loss.Dispose();
            _kernels.Dispose();
            _uploader.Dispose();
        }
    }

    private int Scored(int positives, int negatives) => Model.Loss == LossKind.Full ? negatives : positives + negatives;

    // Forward and backward. Changes only the gradients, so that it can be retried with smaller chunks.
    private StepGradients Compute(DeviceBatch batch, int entries, long step, long columns)
    {
        using DisposeScope scope = NewDisposeScope();
        _dense.Gradients.zero_();
        _dropout.Begin(step);
        try
        {
            (Tensor users, Tensor candidates) = _pass.Forward(batch);
            Timer?.Mark(StepPart.Forward);
            (SoftmaxProblem? problem, SoftmaxResult? result) = Score(batch, users, candidates, entries, columns);
            Timer?.Mark(StepPart.Loss);
            RowGradients? ids = _pass.Backward(result.UserGradient!, result.CandidateGradient!);
            MaskGradients();
            Timer?.Mark(StepPart.Backward);
            return new StepGradients(result.Losses.MoveToOuterDisposeScope(), Kept(ids), Kept(problem.Own.Slice(0, problem.Rows)));
        }
        finally
        {
            _dropout.End();
        }
    }

    private void MaskGradients()
    {
        using IDisposable noGrad = no_grad();
        _dense.MaskGradients();
    }

    private (SoftmaxProblem Problem, SoftmaxResult Result) Score(
        DeviceBatch batch,
        Tensor users,
        Tensor candidates,
        int entries,
        long columns
    )
    {
        using IDisposable noGrad = no_grad();
        long firstNegative = Model.Loss is LossKind.Full or LossKind.Uniform ? batch.Shares.shape[0] : 0;
        var own = new CandidateBlock(candidates.detach(), batch.CandidateRows, batch.CandidateLogQ);
        var problem = new SoftmaxProblem(users.detach(), own, firstNegative, _bank.Newest(entries), batch.Shares);
        SoftmaxProblem masked = Model.HitMask == HitMask.Id ? problem : BySlot(problem);
        if (entries == 0 || !Model.BalanceBank)
        {
            return (problem, _loss.Run(Mixed(masked, batch), columns));
        }

        SoftmaxResult result = _loss.Run(Mixed(masked, batch), columns, SoftmaxGradients.Users);
        SoftmaxProblem alone = Mixed(masked with { Bank = [] }, batch);
        return (problem, result with { CandidateGradient = _loss.Run(alone, columns, SoftmaxGradients.Candidates).CandidateGradient });
    }

    // ln p → ln q of the mixture. The bank keeps ln p, because the mixture changes with each step.
    private SoftmaxProblem Mixed(SoftmaxProblem problem, DeviceBatch batch)
    {
        int uniform = (int)(problem.Own.Count - problem.Rows),
            entries = (int)problem.Bank.Sum(block => block.Count);
        var mixture = new CandidateMixture((int)problem.Rows, entries, uniform, batch.DrawnFrom, _bank.Window(entries));
        return mixture.Mixes
            ? problem with
            {
                Own = problem.Own.Mixed(mixture),
                Bank = [.. problem.Bank.Select(block => block.Mixed(mixture))],
            }
            : problem;
    }

    // Every candidate is treated as a distinct item, so that a row's positive matches only its own position.
    private static SoftmaxProblem BySlot(SoftmaxProblem problem) =>
        problem with
        {
            Own = problem.Own with { Rows = arange(problem.Own.Count, dtype: ScalarType.Int64, device: problem.Own.Rows.device) },
            Bank = [.. problem.Bank.Select(block => block with { Rows = full_like(block.Rows, -1) })],
        };

    // Queued without waiting: the device decides whether the step applies, and returns that.
    private Tensor Apply(StepGradients gradients, float learningRate, out Tensor summary)
    {
        using IDisposable noGrad = no_grad();
        try
        {
            return _update is null
                ? ApplyByTorch(gradients, learningRate, out summary)
                : _update.Apply(gradients, learningRate, out summary);
        }
        catch (ExternalException error) when (DeviceMemory.IsExhausted(error))
        {
            throw new TorchDeviceException(
                $"The device ran out of memory in the middle of an update, so the parameters are inconsistent: restart from the last "
                    + $"checkpoint with smaller batches or a smaller STREAMING__Model__ItemCapacity ({Sizes()}). The device reported: "
                    + $"{TorchDevices.FirstLine(error)}.",
                error
            );
        }
    }

    private Tensor ApplyByTorch(StepGradients gradients, float learningRate, out Tensor summary)
    {
        Tensor squares = _dense.Gradients.square().sum(ScalarType.Float64);
        if (gradients.Ids is { } ids)
        {
            squares = squares.add(ids.Values.square().sum(ScalarType.Float64));
        }

        Tensor norm = squares.sqrt();
        Tensor applies = norm.isfinite().logical_and(gradients.Losses.isfinite().all());
        Tensor scale = Model.ClipNorm > 0 ? norm.reciprocal().mul(Model.ClipNorm).clamp_max(1) : ones_like(norm);
        Tensor update = _items.Updates.add(1);
        var gate = new UpdateGate(applies, scale.to_type(ScalarType.Float32), update);
        _denseOptimizer.Update(gate, learningRate);
        if (gradients.Ids is { } rows)
        {
            _rowOptimizer.Update(gate, rows.Rows, rows.Values, learningRate);
        }

        gate.Write(_items.Updates, update);
        summary = cat([gradients.Losses, norm.unsqueeze(0), _items.Updates.unsqueeze(0)], 0);
        return applies;
    }

    // The only wait of a step: HostReads counts it.
    private bool Read(Tensor summary)
    {
        Span<double> values = stackalloc double[_losses.Length + 2];
        _reads.Copy(summary, values);
        values[.._losses.Length].CopyTo(_losses);
        double loss = 0;
        for (int k = 0; k < _losses.Length; k++)
        {
            loss += _loss.WidthShares[k] * _losses[k];
        }

        double updates = values[^1];
        bool all = updates - _updatesRead == _unread;
        _lastRead = (loss, values[^2]);
        (_updatesRead, _unread) = (updates, 0);
        return all;
    }

    // Entries of a step that may not have been applied are disabled: no row id, and ln q = +∞ excludes them from every sum.
    private void Enqueue(CandidateBlock positives, ReadOnlySpan<int> rows, Tensor applies, long step, bool known)
    {
        using IDisposable noGrad = no_grad();
        if (!known)
        {
            positives = new CandidateBlock(
                where(applies, positives.Vectors, zeros_like(positives.Vectors)),
                where(applies, positives.Rows, full_like(positives.Rows, -1)),
                where(applies, positives.LogQ, full_like(positives.LogQ, float.PositiveInfinity))
            );
        }

        _bank.Enqueue(positives, rows, step);
    }

    private static CandidateBlock Kept(CandidateBlock block) =>
        new(block.Vectors.MoveToOuterDisposeScope(), block.Rows.MoveToOuterDisposeScope(), block.LogQ.MoveToOuterDisposeScope());

    private static RowGradients? Kept(RowGradients? ids) =>
        ids is null
            ? null
            : new(ids.Rows.MoveToOuterDisposeScope(), ids.Values.MoveToOuterDisposeScope(), ids.Count?.MoveToOuterDisposeScope());

    private string Sizes()
    {
        long d = Model.Dimension,
            tables =
                Model.ItemCapacity
                * sizeof(float)
                * ((Model.ItemIds ? (Model.IdOptimizer == IdOptimizer.LazyAdam ? 3 : 1) * d : 0) + Model.FeatureLength);
        return $"D {d}, {Model.Widths.Count} widths, item tables {tables:N0} bytes, bank {Model.BankCapacity * d * sizeof(float):N0} bytes";
    }
}
