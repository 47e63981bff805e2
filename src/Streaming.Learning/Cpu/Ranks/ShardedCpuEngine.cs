using Streaming.Kernels.Optimisers;
using Streaming.Kernels.Simd;
using Streaming.Learning.Engine;
using Streaming.Learning.Losses;
using Streaming.Learning.Ranks;
using Streaming.Models.Batches;
using Streaming.Models.Options;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>
/// One of N engines that train one model. A step is given to each rank as its share; the batch is the shares in rank order, and the
/// result is that of one engine with this batch, up to the rounding of sums taken in another order.
/// </summary>
/// <remarks>
/// Item row r, its optimiser state and its features are on rank r mod N alone; dense parameters and the memory bank are equal on all.
/// All ranks call <see cref="TrainingEngine.Step"/>, <see cref="EncodeItems"/>, <see cref="EncodeUsers"/> and
/// <see cref="BeginSnapshot"/> in the same order, each with its own share of the arguments, which may be empty; the number of the
/// step, learning rate, bank entries and <see cref="TrainingBatch.DrawnFrom"/> must be equal. Every rank is given every row in
/// <see cref="TrainingEngine.InitializeRow"/>, <see cref="SetFeatures"/> and <see cref="TrainingEngine.ForgetRow"/>. If one rank
/// refuses its arguments, all throw.
/// </remarks>
public sealed partial class ShardedCpuEngine : CpuEngine
{
    private readonly Collective _ranks;
    private readonly GlobalBatch _batch;
    private readonly RowExchange _rows;
    private readonly ColumnExchange _candidates;
    private readonly DenseSlices _dense;

    // Slots alone: under the full loss a share's positives need not be among its own negatives.
    private readonly CandidateColumns _own = new(LossKind.InBatch);
    private AlignedFloats _owned = AlignedFloats.Empty;

    /// <summary>Creates the engine of a rank, with initial parameters, no items and an empty bank.</summary>
    /// <param name="model">Shape and hyper-parameters, equal on all ranks.</param>
    /// <param name="threads">Number of threads of this rank including the caller, 1 … 256.</param>
    /// <param name="ranks">The ranks.</param>
    /// <exception cref="ArgumentException">Options are invalid; names each.</exception>
    public ShardedCpuEngine(ModelOptions model, int threads, Collective ranks)
        : base(model, threads, StoredRows(model, ranks))
    {
        _ranks = ranks;
        _batch = new GlobalBatch(ranks, model);
        _rows = new RowExchange(ranks, model.Dimension);
        _candidates = new ColumnExchange(ranks, _batch, model.Dimension);
        _dense = new DenseSlices(ranks, _parameters);
        (_agreements, _ones) = (new int[ranks.Size], [.. Enumerable.Repeat(1, ranks.Size)]);
    }

    /// <inheritdoc/>
    public override string Description => $"{base.Description}, rank {_ranks.Rank} of {_ranks.Size}";

    /// <inheritdoc/>
    public override Collective Ranks => _ranks;

    /// <summary>Gets the dense parameters that this rank updates.</summary>
    internal Range DenseSlice => _dense.Begin.._dense.End;

    private protected override RowSlots Updated => _rows.Owned;

    private protected override Span<float> RowGradients => _rows.Sums;

    private protected override ReadOnlySpan<int> OwnPositives =>
        _columns.Positives.Slice(_batch.FirstPrediction, _batch.PredictionCounts[_ranks.Rank]);

    private protected override double TotalWeight => _batch.Weight;

    /// <inheritdoc/>
    public override void InitializeRow(int row, ulong itemKey)
    {
        BatchCheck.Rows(Model, [row], nameof(row));
        if (row % _ranks.Size == _ranks.Rank)
        {
            base.InitializeRow(row / _ranks.Size, itemKey);
        }
    }

    /// <inheritdoc/>
    public override void SetFeatures(int row, ReadOnlySpan<float> features)
    {
        BatchCheck.Features(Model, row, features);
        if (row % _ranks.Size == _ranks.Rank)
        {
            base.SetFeatures(row / _ranks.Size, features);
        }
    }

    private protected override TrainingBatch Join(in TrainingBatch batch)
    {
        TrainingBatch all = _batch.Join(batch);
        _tower.SetOrigin(_batch.FirstStep, _batch.FirstPrediction);
        return all;
    }

    private protected override void PlanColumns(in TrainingBatch batch, in TrainingBatch all)
    {
        _own.Plan(batch, _slots);
        _itemGradients.Plan(_slots.Count, _plan.Slots, _own.Slots);
        _columns.Plan(all, slots: null);
    }

    private protected override ReadOnlySpan<float> ColumnVectors() => _candidates.Gather(_own, _encoded.Span);

    private protected override void AfterScore(int rows, Span<float> gradients)
    {
        if (rows == 0)
        {
            gradients.Clear();
            Array.Clear(_losses);
        }

        _ranks.Sum(_losses);
        _candidates.Return(gradients);
    }

    private protected override void SumRows() => _rows.Return(_itemGradients.Sums);

    private protected override void SumDense() => _dense.SumGradients();

    private protected override double SquaredGradients()
    {
        Span<double> squares = [SquaredGradients(_dense.Gradients)];
        _ranks.Sum(squares);
        return squares[0];
    }

    private protected override void UpdateDense(in AdamWStep numbers)
    {
        UpdateDense(numbers, _dense.Begin, _dense.End);
        _dense.GatherValues();
    }

    private static int StoredRows(ModelOptions model, Collective ranks)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(ranks);
        return Math.Max(0, (model.ItemCapacity - ranks.Rank + ranks.Size - 1) / ranks.Size);
    }
}
