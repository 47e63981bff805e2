using System.Numerics.Tensors;
using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Towers;

/// <summary>
/// One block of the fmrlrec tower. Pre-norm [fMRLRec]: h = x + LRU(norm(x)), out = h + FFN(norm(h)). Post-norm [LRURec]:
/// h = norm(x + LRU(x)), out = norm(h + FFN(h)).
/// </summary>
/// <remarks>In the last block only the recurrence runs over all steps; the rest is computed only for predicted rows.</remarks>
internal sealed class LruBlock
{
    private readonly int _d;
    private readonly bool _isLast;
    private readonly bool _isPreNorm;
    private readonly IncrementNorm _mixNorm;
    private readonly IncrementNorm _ffnNorm;
    private readonly Dropout _mixDropout;
    private readonly Dropout _ffnDropout;
    private readonly GatedFfn _ffn;
    private AlignedFloats _normal = AlignedFloats.Empty;
    private AlignedFloats _states = AlignedFloats.Empty;
    private AlignedFloats _selectedStates = AlignedFloats.Empty;
    private AlignedFloats _selectedInputs = AlignedFloats.Empty;
    private AlignedFloats _mixed = AlignedFloats.Empty;
    private AlignedFloats _ffnInput = AlignedFloats.Empty;
    private AlignedFloats _gate = AlignedFloats.Empty;
    private AlignedFloats _up = AlignedFloats.Empty;
    private AlignedFloats _product = AlignedFloats.Empty;
    private AlignedFloats _sum = AlignedFloats.Empty;
    private AlignedFloats _output = AlignedFloats.Empty;

    public LruBlock(
        ParameterSet set,
        string name,
        Increments widths,
        bool last,
        NormPlacement placement,
        Func<int, Dropout> dropout,
        int firstSite
    )
    {
        _d = widths.Dimension;
        _isLast = last;
        _isPreNorm = placement == NormPlacement.Before;
        _mixNorm = new IncrementNorm(set, $"{name}.mix_norm", widths);
        Lru = new Lru(set, $"{name}.lru", widths);
        _ffnNorm = new IncrementNorm(set, $"{name}.ffn_norm", widths);
        _ffn = new GatedFfn(set, $"{name}.ffn", widths, dropout(firstSite));
        _mixDropout = dropout(firstSite + 1);
        _ffnDropout = dropout(firstSite + 2);
    }

    /// <summary>Gets the recurrence.</summary>
    public Lru Lru { get; }

    public void Initialize(ModelOptions options)
    {
        _mixNorm.Initialize();
        _ffnNorm.Initialize();
        Lru.Initialize(options.Seed, options);
        _ffn.Initialize(options.Seed, options.WeightScale);
    }

    /// <summary>Packs the weights; call once per step, before any chunk.</summary>
    public void Prepare()
    {
        Lru.Prepare();
        _ffn.Prepare();
    }

    public void Reserve(StepPlan plan)
    {
        int rows = _isLast ? plan.PredictionCount : plan.StepCount;
        _mixNorm.Reserve(_isPreNorm ? plan.StepCount : rows);
        _ffnNorm.Reserve(rows);
        Buffers.Grow(ref _states, plan.StepCount, 2 * _d);
        if (_isPreNorm)
        {
            Buffers.Grow(ref _normal, plan.StepCount, _d);
        }
        else
        {
            Buffers.Grow(ref _sum, rows, _d);
        }

        if (_isLast)
        {
            Buffers.Grow(ref _selectedStates, rows, 2 * _d);
            Buffers.Grow(ref _selectedInputs, rows, _d);
        }

        Buffers.Grow(ref _mixed, rows, _d);
        Buffers.Grow(ref _ffnInput, rows, _d);
        Buffers.Grow(ref _gate, rows, _d);
        Buffers.Grow(ref _up, rows, _d);
        Buffers.Grow(ref _product, rows, _d);
        Buffers.Grow(ref _output, rows, _d);
    }

    /// <summary>Output of a chunk: one row [D] per step, or per prediction in the last block.</summary>
    public Span<float> Output(scoped in Chunk chunk) => Rows(_output, chunk);

    /// <summary>Computes <see cref="Output"/> of a chunk from x [steps × D].</summary>
    public void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> x, long step)
    {
        Span<float> mixed = Rows(_mixed, chunk);
        ReadOnlySpan<float> residual = Mix(plan, chunk, x, mixed, step);
        TensorPrimitives.Add(mixed, residual, mixed); // (R, D): R rows are steps, in the last block predictions

        int rows = Count(chunk),
            first = First(chunk);
        Span<float> input = Rows(_ffnInput, chunk);
        (_isPreNorm ? _ffnNorm : _mixNorm).Forward(mixed, input, first);
        Span<float> output = Rows(_output, chunk);
        // input (R, D) → gate, up, product (R, D) → output (R, D)
        _ffn.Forward(input, Rows(_gate, chunk), Rows(_up, chunk), Rows(_product, chunk), output, rows, first, step);
        _ffnDropout.Apply(output, first, step);
        if (_isPreNorm)
        {
            TensorPrimitives.Add(output, mixed, output);
        }
        else
        {
            Span<float> sum = Rows(_sum, chunk);
            TensorPrimitives.Add(output, input, sum);
            _ffnNorm.Forward(sum, output, first);
        }
    }

    /// <summary>Advances one user by one event.</summary>
    /// <param name="row">[D] In: the block's input. Out: its output.</param>
    /// <param name="state">In and out: [2D].</param>
    /// <param name="scratch">[9D].</param>
    public void Advance(Span<float> row, Span<float> state, Span<float> scratch)
    {
        Span<float> states = scratch[..(4 * _d)];
        Span<float> next = states[(2 * _d)..];
        Span<float> mixed = scratch.Slice(4 * _d, _d);
        Span<float> input = scratch.Slice(5 * _d, _d);
        row.CopyTo(input);
        if (_isPreNorm)
        {
            _mixNorm.ForwardRow(row, input);
        }

        Lru.Input.Forward(input, next, 1);
        state.CopyTo(states);
        Lru.Advance(states);
        next.CopyTo(state);
        Lru.Output.Forward(state, mixed, 1);
        TensorPrimitives.Add(mixed, row, mixed);
        (_isPreNorm ? _ffnNorm : _mixNorm).ForwardRow(mixed, input);
        _ffn.Forward(input, scratch.Slice(6 * _d, _d), scratch.Slice(7 * _d, _d), scratch.Slice(8 * _d, _d), row, 1, 0, step: -1);
        TensorPrimitives.Add(row, _isPreNorm ? mixed : input, row);
        if (!_isPreNorm)
        {
            _ffnNorm.ForwardRow(row, row);
        }
    }

    /// <summary>Computes <paramref name="dx"/> [steps × D], the gradient with respect to the block's input.</summary>
    public void Backward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, long step, Lane lane)
    {
        int rows = Count(chunk),
            first = First(chunk);
        Span<float> sum = lane.Rent(rows * _d);
        Span<float> branch = lane.Rent(rows * _d);
        Span<float> input = lane.Rent(rows * _d);
        if (_isPreNorm)
        {
            dy.CopyTo(sum);
        }
        else
        {
            _ffnNorm.Backward(Rows(_sum, chunk), dy, sum, first, lane, add: false);
        }

        sum.CopyTo(branch);
        _ffnDropout.Apply(branch, first, step);
        _ffn.Backward(
            Rows(_ffnInput, chunk),
            Rows(_gate, chunk),
            Rows(_up, chunk),
            Rows(_product, chunk),
            branch,
            input,
            rows,
            first,
            step,
            lane
        );
        if (_isPreNorm)
        {
            _ffnNorm.Backward(Rows(_mixed, chunk), input, sum, first, lane, add: true);
        }
        else
        {
            TensorPrimitives.Add(sum, input, input);
            _mixNorm.Backward(Rows(_mixed, chunk), input, sum, first, lane, add: false);
        }

        MixBackward(plan, chunk, x, sum, branch, dx, step, lane);
    }

    // x (T, D) → states (T, 2D) → mixed (R, D): the recurrent half without its residual; returns the rows that the residual adds.
    private ReadOnlySpan<float> Mix(StepPlan plan, scoped in Chunk chunk, ReadOnlySpan<float> x, Span<float> mixed, long step)
    {
        Span<float> states = Steps(_states, chunk, 2 * _d);
        ReadOnlySpan<float> input = x;
        if (_isPreNorm)
        {
            Span<float> normal = Steps(_normal, chunk, _d);
            _mixNorm.Forward(x, normal, chunk.FirstStep);
            input = normal;
        }

        Lru.Input.Forward(input, states, chunk.StepCount);
        for (int s = chunk.FirstSequence; s < chunk.FirstSequence + chunk.SequenceCount; s++)
        {
            Lru.Scan(states[((plan.Starts[s] - chunk.FirstStep) * 2 * _d)..], plan.Starts[s + 1] - plan.Starts[s]);
        }

        ReadOnlySpan<float> residual = x;
        if (_isLast)
        {
            Span<float> selected = Rows(_selectedInputs, chunk);
            Selection.Gather(plan, chunk, x, selected, _d);
            Selection.Gather(plan, chunk, states, Rows(_selectedStates, chunk, 2), 2 * _d);
            residual = selected;
        }

        Lru.Output.Forward(OutputStates(chunk), mixed, Count(chunk));
        _mixDropout.Apply(mixed, First(chunk), step);
        return residual;
    }

    // sum (R, D): gradient with respect to (residual + LRU branch); branch (R, D): scratch; states (R, 2D) → (T, 2D); dx (T, D).
    private void MixBackward(
        StepPlan plan,
        in Chunk chunk,
        ReadOnlySpan<float> x,
        Span<float> sum,
        Span<float> branch,
        Span<float> dx,
        long step,
        Lane lane
    )
    {
        int rows = Count(chunk);
        sum.CopyTo(branch);
        _mixDropout.Apply(branch, First(chunk), step);
        Span<float> states = lane.Rent(rows * 2 * _d);
        Lru.Output.Backward(OutputStates(chunk), branch, states, rows, lane);
        if (_isLast)
        {
            Span<float> all = lane.Rent(chunk.StepCount * 2 * _d);
            Selection.Scatter(plan, chunk, states, all, 2 * _d);
            Selection.Scatter(plan, chunk, sum, dx, _d);
            states = all;
        }
        else
        {
            sum.CopyTo(dx);
        }

        ScanBackward(plan, chunk, states, lane);
        if (_isPreNorm)
        {
            Span<float> normal = lane.Rent(chunk.StepCount * _d);
            Lru.Input.Backward(Steps(_normal, chunk, _d), states, normal, chunk.StepCount, lane);
            _mixNorm.Backward(x, normal, dx, chunk.FirstStep, lane, add: true);
        }
        else
        {
            Lru.Input.Backward(x, states, dx, chunk.StepCount, lane, add: true);
        }
    }

    private void ScanBackward(StepPlan plan, in Chunk chunk, Span<float> gradients, Lane lane)
    {
        Span<float> sums = lane.Rent(Lru.SumsLength);
        sums.Clear();
        Span<float> states = Steps(_states, chunk, 2 * _d);
        for (int s = chunk.FirstSequence; s < chunk.FirstSequence + chunk.SequenceCount; s++)
        {
            int at = (plan.Starts[s] - chunk.FirstStep) * 2 * _d;
            Lru.ScanBackward(states[at..], gradients[at..], plan.Starts[s + 1] - plan.Starts[s], sums);
        }

        Lru.AddGradients(sums, lane);
    }

    private ReadOnlySpan<float> OutputStates(scoped in Chunk chunk) =>
        _isLast ? Rows(_selectedStates, chunk, 2) : Steps(_states, chunk, 2 * _d);

    private int Count(in Chunk chunk) => _isLast ? chunk.PredictionCount : chunk.StepCount;

    private int First(in Chunk chunk) => _isLast ? chunk.FirstPrediction : chunk.FirstStep;

    private Span<float> Rows(AlignedFloats buffer, scoped in Chunk chunk, int factor = 1) =>
        buffer.AsSpan(First(chunk) * _d * factor, Count(chunk) * _d * factor);

    private static Span<float> Steps(AlignedFloats buffer, scoped in Chunk chunk, int columns) =>
        buffer.AsSpan(chunk.FirstStep * columns, chunk.StepCount * columns);
}
