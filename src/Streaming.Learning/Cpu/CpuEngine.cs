using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Elementwise;
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
public sealed partial class CpuEngine : TrainingEngine
{
    private const int SlotsPerPart = 128;
    private readonly Workers _workers;
    private readonly ParameterSet _parameters = new();
    private readonly ItemRows _table;
    private readonly ItemEncoder _items;
    private readonly UserTower _tower;
    private readonly MemoryBank _bank;
    private readonly CandidateColumns _columns;
    private readonly ItemGradients _itemGradients;
    private readonly RowSlots _slots = new();
    private readonly StepPlan _plan = new();
    private readonly Lane[] _lanes;
    private readonly Lane[] _scratch;
    private readonly int[] _widths;
    private readonly float[] _widthWeights;
    private readonly double[] _losses;
    private readonly double[] _batchLosses;
    private NestedSoftmax _softmax;
    private int _maxRows = 64;
    private int _maxCandidates = 64;
    private AlignedFloats _encoded = AlignedFloats.Empty;
    private AlignedFloats _candidateGradients = AlignedFloats.Empty;
    private AlignedFloats _unusedUserGradients = AlignedFloats.Empty;
    private long _updates;
    private long _step;

    /// <summary>Creates an engine with initial parameters, an empty item table and an empty bank.</summary>
    /// <param name="model">Shape and hyper-parameters.</param>
    /// <param name="threads">Number of threads including the caller, 1 … 256.</param>
    /// <exception cref="ArgumentException">Options are invalid; names each.</exception>
    public CpuEngine(ModelOptions model, int threads)
        : base(model)
    {
        _workers = new Workers(threads);
        var increments = new Increments(model.Widths);
        _widths = [.. model.Widths];
        _widthWeights = model.LossWeights;
        _losses = new double[_widths.Length];
        _batchLosses = new double[_widths.Length];
        _table = new ItemRows(model);
        _items = new ItemEncoder(_parameters, _table, model);
        _tower = UserTower.Create(_parameters, model, increments);
        _parameters.Allocate();
        _items.Initialize(model.Seed, model.WeightScale);
        _tower.Initialize();
        _bank = new MemoryBank(model.BankCapacity, model.Dimension);
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
    internal ReadOnlySpan<int> StepRows => _slots.Rows;

    /// <summary>Gets the gradient of each of <see cref="StepRows"/> in the last step [n × D].</summary>
    internal ReadOnlySpan<float> StepRowGradients => _itemGradients.Sums;

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
        BatchCheck.Verify(Model, batch);
        Plan(batch);
        Forward(batch.Step);
        int entries = FillCandidates(batch);
        double loss = Score(batch, entries);
        int scored = _columns.Scored + entries;
        if (!double.IsFinite(loss))
        {
            return new StepResult(false, loss, double.NaN, _losses, scored);
        }

        Backward(batch.Step);
        double norm = GradientNorm();
        if (!double.IsFinite(norm))
        {
            return new StepResult(false, loss, norm, _losses, scored);
        }

        Update(batch.LearningRate, norm);
        _step = batch.Step;
        if (batch.EnqueuePositives && Model.BankCapacity > 0)
        {
            _bank.Enqueue(batch.Positives, batch.Step);
        }

        return new StepResult(true, loss, norm, _losses, scored);
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

    private void Plan(in TrainingBatch batch)
    {
        _slots.Clear();
        _plan.Plan(batch.Sequences, batch.PredictionSteps, _slots, _tower.ChunkSteps);
        _columns.Plan(batch, _slots);
        _itemGradients.Plan(_slots.Count, _plan.Slots, _columns.Slots);
        Buffers.Grow(ref _candidateGradients, _columns.Batch, Model.Dimension);
    }

    private void Forward(long step)
    {
        int d = Model.Dimension;
        Buffers.Grow(ref _encoded, _slots.Count, d);
        _tower.Reserve(_plan);
        _tower.Prepare();
        var encode = new Work(this, step);
        _workers.Run(
            Parts(_slots.Count),
            ref encode,
            static (ref Work work, int part, int worker) => work.Engine.EncodeSlots(part, worker)
        );
        var forward = new Work(this, step);
        _workers.Run(
            _plan.ChunkCount,
            ref forward,
            static (ref Work work, int part, int worker) =>
                work.Engine._tower.Forward(work.Engine._plan, work.Engine._plan.ChunkAt(part), work.Engine._encoded.Span, work.Step)
        );
    }

    private void EncodeSlots(int part, int worker)
    {
        int d = Model.Dimension,
            first = part * SlotsPerPart,
            count = Math.Min(SlotsPerPart, _slots.Count - first);
        Span<float> scratch = Scratch(worker, count);
        _items.Forward(_slots.Rows.Slice(first, count), _encoded.AsSpan(first * d, count * d), scratch);
    }

    private int FillCandidates(in TrainingBatch batch)
    {
        _bank.Reserve(_columns.Batch);
        _bank.TouchBatch(_columns.Batch);
        _columns.Fill(
            batch,
            _encoded.Span,
            Model.Dimension,
            _bank.Candidates(_columns.Batch, 0),
            _bank.CandidateRows(_columns.Batch, 0),
            _bank.CandidateLogQ(_columns.Batch, 0)
        );
        return Model.Loss == LossKind.Full ? 0 : Math.Min(batch.BankEntries, _bank.Count);
    }

    private double Score(in TrainingBatch batch, int entries)
    {
        int rows = batch.Positives.Length,
            d = Model.Dimension;
        int candidates = _columns.Scored + entries;
        if (rows > _maxRows || candidates > _maxCandidates)
        {
            _maxRows = Math.Max(_maxRows, rows + (rows / 4));
            _maxCandidates = Math.Max(_maxCandidates, candidates + (candidates / 4));
            _softmax = new NestedSoftmax(_widths, _maxRows, _maxCandidates, _workers);
        }

        Span<float> gradients = _candidateGradients.AsSpan(0, _columns.Batch * d);
        gradients[(_columns.Scored * d)..].Clear();
        var problem = new NestedSoftmaxProblem
        {
            Users = _tower.Users(_plan, _bank.Candidates(_columns.Batch, 0), _columns.Positives),
            Candidates = _bank.Candidates(_columns.Batch, entries)[..(candidates * d)],
            CandidateIds = Model.HitMask == HitMask.Id ? _bank.CandidateRows(_columns.Batch, entries)[..candidates] : [],
            LogQ = _bank.CandidateLogQ(_columns.Batch, entries)[..candidates],
            PositiveColumn = _columns.Positives,
            RowWeights = batch.Weights,
            WidthWeights = _widthWeights,
            GradientCandidates = _columns.Scored,
            Temperature = Model.Temperature,
            Cosine = Model.Cosine,
            Correction = Model.Loss is LossKind.Full or LossKind.Uniform ? LogQCorrection.None : Model.LogQ,
            UserGradients = _tower.UserGradients(_plan),
            CandidateGradients = gradients[..(_columns.Scored * d)],
            Losses = _losses,
        };
        _softmax.Run(problem);
        double loss = TotalLoss();
        if (entries > 0 && Model.BalanceBank)
        {
            BalanceItems(problem);
        }

        return loss;
    }

    /// <summary>Replaces the gradients of the batch's items by those of the softmax over the batch alone.</summary>
    private void BalanceItems(NestedSoftmaxProblem problem)
    {
        Buffers.Grow(ref _unusedUserGradients, problem.PositiveColumn.Length, Model.Dimension);
        int batch = problem.GradientCandidates;
        problem.Candidates = problem.Candidates[..(batch * Model.Dimension)];
        problem.CandidateIds = problem.CandidateIds.IsEmpty ? [] : problem.CandidateIds[..batch];
        problem.LogQ = problem.LogQ[..batch];
        problem.UserGradients = _unusedUserGradients.AsSpan(0, problem.UserGradients.Length);
        problem.Losses = _batchLosses;
        _softmax.Run(problem);
    }

    private double TotalLoss()
    {
        double sum = 0,
            weights = 0;
        for (int k = 0; k < _losses.Length; k++)
        {
            sum += _widthWeights[k] * _losses[k];
            weights += _widthWeights[k];
        }

        return sum / weights;
    }

    private void Backward(long step)
    {
        var work = new Work(this, step);
        _workers.Run(_lanes.Length, ref work, static (ref Work work, int lane, int _) => work.Engine.BackwardLane(lane, work.Step));
        _workers.Run(Parts(_slots.Count), ref work, static (ref Work work, int part, int _) => work.Engine.SumItems(part));
        if (Model.FeatureLength > 0)
        {
            _workers.Run(_lanes.Length, ref work, static (ref Work work, int lane, int _) => work.Engine.BackwardItems(lane));
        }

        const int block = 4096;
        _workers.Run(
            (_parameters.Length + block - 1) / block,
            ref work,
            static (ref Work work, int part, int _) => work.Engine.SumLanes(part * block, block)
        );
    }

    private void BackwardLane(int lane, long step)
    {
        Array.Clear(_lanes[lane].Gradients);
        for (int chunk = lane; chunk < _plan.ChunkCount; chunk += _lanes.Length)
        {
            _tower.Backward(_plan, _plan.ChunkAt(chunk), step, _lanes[lane]);
        }
    }

    private void SumItems(int part)
    {
        int first = part * SlotsPerPart,
            end = Math.Min(_slots.Count, first + SlotsPerPart);
        _itemGradients.Sum(first, end, _tower.InputGradients, _candidateGradients.Span);
    }

    private void BackwardItems(int lane)
    {
        int d = Model.Dimension;
        for (int part = lane; part < Parts(_slots.Count); part += _lanes.Length)
        {
            int first = part * SlotsPerPart,
                count = Math.Min(SlotsPerPart, _slots.Count - first);
            _items.Backward(
                _slots.Rows.Slice(first, count),
                _itemGradients.Sums.Slice(first * d, count * d),
                Scratch(lane, count),
                _lanes[lane]
            );
        }
    }

    private void SumLanes(int first, int block)
    {
        int count = Math.Min(block, _parameters.Length - first);
        Span<float> sum = _parameters.Gradients.AsSpan(first, count);
        _lanes[0].Gradients.AsSpan(first, count).CopyTo(sum);
        for (int lane = 1; lane < _lanes.Length; lane++)
        {
            System.Numerics.Tensors.TensorPrimitives.Add(sum, _lanes[lane].Gradients.AsSpan(first, count), sum);
        }
    }

    private double GradientNorm()
    {
        double squares = SquaredNorm.Compute(_parameters.Gradients, _workers);
        if (Model.ItemIds)
        {
            squares += SquaredNorm.Compute(_itemGradients.Sums, _workers);
        }

        return Math.Sqrt(squares);
    }

    private void Update(float learningRate, double norm)
    {
        _updates++;
        AdamWStep numbers = new AdamWStep
        {
            LearningRate = learningRate,
            Beta1 = Model.Beta1,
            Beta2 = Model.Beta2,
            Epsilon = Model.Epsilon,
            WeightDecay = Model.WeightDecay,
            GradientScale = Model.ClipNorm > 0 && norm > Model.ClipNorm ? (float)(Model.ClipNorm / norm) : 1,
        }.At(_updates);

        // By index: enumerating a list through an interface would allocate on every step.
        for (int i = 0; i < _parameters.All.Count; i++)
        {
            Parameter parameter = _parameters.All[i];
            AdamW.Update(
                _parameters.Value(parameter),
                _parameters.Gradients.AsSpan(parameter.Offset, parameter.Length),
                _parameters.FirstMoments.AsSpan(parameter.Offset, parameter.Length),
                _parameters.SecondMoments.AsSpan(parameter.Offset, parameter.Length),
                parameter.Decays ? numbers : numbers with { WeightDecay = 0 },
                _workers
            );
        }

        if (Model.ItemIds)
        {
            UpdateRows(numbers with { WeightDecay = Model.IdWeightDecay });
        }
    }

    private void UpdateRows(in AdamWStep numbers)
    {
        double logDecay = _table.LogDecay + Math.Log(1 - ((double)numbers.LearningRate * numbers.WeightDecay));
        var work = new RowWork(this, numbers, logDecay);
        _workers.Run(
            Parts(_slots.Count),
            ref work,
            static (ref RowWork work, int part, int _) => work.Engine.UpdateRows(part, work.Numbers, work.LogDecay)
        );
        _table.LogDecay = logDecay;
    }

    private void UpdateRows(int part, in AdamWStep numbers, double logDecay)
    {
        int d = Model.Dimension,
            first = part * SlotsPerPart,
            end = Math.Min(_slots.Count, first + SlotsPerPart);
        for (int slot = first; slot < end; slot++)
        {
            _table.Update(_slots.Rows[slot], _itemGradients.Sums.Slice(slot * d, d), _updates, numbers, logDecay);
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
