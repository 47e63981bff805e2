using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Optimisers;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;
using Streaming.Kernels.Softmax;
using Streaming.Learning.Engine;
using Streaming.Learning.Losses;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Models.Towers;

namespace Streaming.Learning.Cpu;

/// <summary>
/// The training engine on the CPU: explicit layers with hand-derived gradients, buffers allocated once, work divided into
/// chunks of whole sequences. Results are bitwise identical for any number of threads.
/// </summary>
/// <remarks>An engine that shares its steps with other ranks (<c>ShardedCpuEngine</c>) replaces what is virtual here: where item vectors
/// come from, which columns the candidates are, and how gradients are summed.</remarks>
public partial class CpuEngine : TrainingEngine
{
    private const int SlotsPerPart = 128;
    private readonly Workers _workers;
    private protected readonly ParameterSet _parameters = new();
    private readonly ItemRows _table;
    private readonly ItemEncoder _items;
    private protected readonly UserTower _tower;
    private readonly MemoryBank _bank;
    private protected readonly CandidateColumns _columns;
    private protected readonly ItemGradients _itemGradients;
    private protected readonly RowSlots _slots = new();
    private protected readonly StepPlan _plan = new();
    private readonly Lane[] _lanes;
    private readonly Lane[] _scratch;
    private readonly int[] _widths;
    private readonly float[] _widthWeights;
    private protected readonly double[] _losses;
    private readonly double[] _batchLosses;
    private readonly bool _hasFeatures;
    private NestedSoftmax _softmax;
    private int _maxRows = 64;
    private int _maxCandidates = 64;
    private float[] _mixedLogQ = [];
    private protected AlignedFloats _encoded = AlignedFloats.Empty;
    private AlignedFloats _candidateGradients = AlignedFloats.Empty;
    private AlignedFloats _unusedUserGradients = AlignedFloats.Empty;
    private long _updates;
    private long _step;

    /// <summary>Creates an engine with initial parameters, an empty item table and an empty bank.</summary>
    /// <param name="model">Shape and hyper-parameters.</param>
    /// <param name="threads">Number of threads including the caller, 1 … 256.</param>
    /// <exception cref="ArgumentException">Options are invalid; names each.</exception>
    public CpuEngine(ModelOptions model, int threads)
        : this(model, threads, model?.ItemCapacity ?? 0) { }

    /// <summary>Creates an engine that stores a part of the item rows.</summary>
    /// <param name="model">Shape and hyper-parameters.</param>
    /// <param name="threads">Number of threads including the caller, 1 … 256.</param>
    /// <param name="storedRows">Number of item rows to allocate.</param>
    private protected CpuEngine(ModelOptions model, int threads, int storedRows)
        : base(model)
    {
        _workers = new Workers(threads);
        var increments = new Increments(model.Widths);
        _widths = [.. model.Widths];
        _widthWeights = model.LossWeights;
        _losses = new double[_widths.Length];
        _batchLosses = new double[_widths.Length];
        _hasFeatures = model.FeatureLength > 0;
        _table = new ItemRows(model, storedRows);
        _items = new ItemEncoder(_parameters, _table, model);
        _tower = UserTower.Create(_parameters, model, increments);
        _parameters.Allocate();
        _items.Initialize(model.Seed, model.WeightScale);
        _tower.Initialize();
        _bank = new MemoryBank(model.BankCapacity, model.Dimension, model.DistinctBank);
        _columns = new CandidateColumns(model.Loss);
        _itemGradients = new ItemGradients(model.Dimension);
        _softmax = new NestedSoftmax(_widths, _maxRows, _maxCandidates, _workers);

        // Lanes depend on the model alone, never on threads: they fix the order of sums. Large models get fewer copies of their
        // gradient.
        _lanes = new Lane[Math.Clamp((64 << 20) / (sizeof(float) * _parameters.Length), 2, 8)];
        for (int i = 0; i < _lanes.Length; i++)
        {
            _lanes[i] = new Lane(_parameters.Length, _widths);
        }

        _scratch = new Lane[Math.Max(threads, _lanes.Length)];
        for (int i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = new Lane(0, _widths);
        }
    }

    /// <inheritdoc/>
    public override int BankCount => _bank.Count;

    /// <inheritdoc/>
    public override string Description =>
        $"cpu, {_workers.Threads} thread{(_workers.Threads == 1 ? "" : "s")}, "
        + $"{(Avx512DQ.IsSupported ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128)}-bit vectors";

    /// <summary>Gets the dense parameters and their gradients of the last step.</summary>
    internal ParameterSet Parameters => _parameters;

    /// <summary>Gets the number of lanes, each with a copy of the dense gradient.</summary>
    internal int LaneCount => _lanes.Length;

    /// <summary>Gets the distinct item rows of the last step.</summary>
    internal ReadOnlySpan<int> StepRows => Updated.Rows;

    /// <summary>Gets the gradient of each of <see cref="StepRows"/> in the last step [n × D].</summary>
    internal ReadOnlySpan<float> StepRowGradients => RowGradients;

    /// <summary>Gets the stored rows that the step updates.</summary>
    private protected virtual RowSlots Updated => _slots;

    /// <summary>Gets the gradient of each of <see cref="Updated"/> [n × D].</summary>
    private protected virtual Span<float> RowGradients => _itemGradients.Sums;

    /// <inheritdoc/>
    public override void InitializeRow(int row, ulong itemKey)
    {
        BatchCheck.Rows(Model, [row], nameof(row));
        _table.Initialize(row, itemKey, _updates);
    }

    /// <inheritdoc/>
    public override void SetFeatures(int row, ReadOnlySpan<float> features)
    {
        BatchCheck.Features(Model, row, features);
        _table.Used = Math.Max(_table.Used, row + 1);
        _table.Features.Touch(row);
        features.CopyTo(_table.Features.Row(row));
    }

    /// <inheritdoc/>
    public override StepResult Step(in TrainingBatch batch)
    {
        TrainingBatch all = Join(batch);
        Plan(batch, all);
        Forward(batch.Step);
        int entries = FillCandidates(all);
        double loss = Score(batch, all, entries);
        int scored = _columns.Scored + entries;
        if (!double.IsFinite(loss))
        {
            return new StepResult(false, loss, double.NaN, _losses, scored);
        }

        Backward(batch.Step);
        double norm = Math.Sqrt(SquaredGradients());
        if (!double.IsFinite(norm))
        {
            return new StepResult(false, loss, norm, _losses, scored);
        }

        Update(batch.LearningRate, norm);
        _step = batch.Step;
        if (batch.EnqueuePositives && Model.BankCapacity > 0)
        {
            _bank.Enqueue(all.Positives, batch.Step);
        }

        return new StepResult(true, loss, norm, _losses, scored);
    }

    /// <summary>Checks this engine's share of a batch.</summary>
    /// <returns>The predictions and negatives of the whole batch.</returns>
    private protected virtual TrainingBatch Join(in TrainingBatch batch)
    {
        BatchCheck.Verify(Model, batch);
        return batch;
    }

    /// <inheritdoc/>
    public override void ForgetRow(int row) => _bank.Forget(row);

    /// <inheritdoc/>
    public override void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings)
    {
        int d = Model.Dimension;
        for (int i = 0; i < entries.Length; i++)
        {
            int entry = entries[i];
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)entry, (uint)_bank.Count, nameof(entries));
            rows[i] = _bank.Rows[entry];
            steps[i] = _bank.Steps[entry];
            _bank.Vectors.Row(_bank.First + entry).CopyTo(embeddings.Slice(i * d, d));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _workers.Dispose();
        }
    }

    // A worker is one of at most 256 threads, a lane one of at most 8: both only select scratch memory.
    private Span<float> Scratch(int number, int rows)
    {
        Lane lane = _scratch[number];
        lane.Reserve(_items.Scratch(rows));
        return lane.Rent(_items.Scratch(rows));
    }

    private static int Parts(int slots) => (slots + SlotsPerPart - 1) / SlotsPerPart;

    private readonly record struct Work(CpuEngine Engine, long Step);

    private readonly record struct RowWork(CpuEngine Engine, AdamWStep Numbers, double LogDecay);
}
