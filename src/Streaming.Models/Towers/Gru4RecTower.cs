using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Towers;

/// <summary>One nested GRU over the history; the user vector is its state (GRU4Rec as in CBNS).</summary>
/// <remarks>The sequences of a chunk advance together, longest first, so the active ones are the first rows of a matrix.</remarks>
internal sealed class Gru4RecTower : UserTower
{
    private readonly Gru _gru;
    private AlignedFloats _gates = AlignedFloats.Empty;
    private AlignedFloats _candidates = AlignedFloats.Empty;
    private AlignedFloats _states = AlignedFloats.Empty;
    private AlignedFloats _current = AlignedFloats.Empty;
    private AlignedFloats _hidden = AlignedFloats.Empty;
    private int[] _order = [];

    public Gru4RecTower(ParameterSet set, ModelOptions options, Increments widths)
        : base(set, options, widths)
    {
        _gru = new Gru(set, "tower.gru", widths);
    }

    /// <summary>Gets a size at which a time step of the chunk is a matrix large enough to multiply efficiently.</summary>
    public override int ChunkSteps => 64 * (Options.HistoryLength + 1);

    public override int StateLength => D;

    protected override int ScratchPerStep => 10;

    public override void Initialize()
    {
        base.Initialize();
        _gru.Initialize(Options.Seed, Options.WeightScale);
    }

    public override void Prepare() => _gru.Prepare();

    public override void Reserve(StepPlan plan)
    {
        base.Reserve(plan);
        Buffers.Grow(ref _gates, plan.StepCount, 3 * D);
        Buffers.Grow(ref _candidates, plan.StepCount, D);
        Buffers.Grow(ref _states, plan.StepCount, D);
        Buffers.Grow(ref _current, plan.SequenceCount, D);
        Buffers.Grow(ref _hidden, plan.SequenceCount, 3 * D);
        Buffers.Grow(ref _order, plan.SequenceCount);
    }

    public override void Advance(ReadOnlySpan<float> x, Span<float> state, Span<float> vector, Span<float> scratch)
    {
        Span<float> gates = scratch[..(3 * D)];
        Span<float> hidden = scratch.Slice(3 * D, 3 * D);
        _gru.Input.Forward(x, gates, 1);
        _gru.Hidden.Forward(state, hidden, 1);
        _gru.Step(gates, hidden, scratch.Slice(6 * D, D), state);
        state.CopyTo(vector);
    }

    // inputs (T, D) → gates (T, 3D) → states (T, D) → outputs (B, D); at each time step current (active, D) → hidden (active, 3D)
    protected override void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> inputs, Span<float> outputs, long step)
    {
        Span<float> gates = Steps(_gates, chunk, 3);
        Span<float> candidates = Steps(_candidates, chunk);
        Span<float> states = Steps(_states, chunk);
        Span<float> current = _current.AsSpan(chunk.FirstSequence * D, chunk.SequenceCount * D);
        Span<float> hidden = _hidden.AsSpan(chunk.FirstSequence * 3 * D, chunk.SequenceCount * 3 * D);
        Span<int> order = Order(plan, chunk);
        _gru.Input.Forward(inputs, gates, chunk.StepCount);
        current.Clear();
        for (int t = 0, active = order.Length; ; t++)
        {
            active = Active(plan, order, active, t);
            if (active == 0)
            {
                break;
            }

            _gru.Hidden.Forward(current, hidden, active);
            for (int i = 0; i < active; i++)
            {
                int row = plan.Starts[order[i]] - chunk.FirstStep + t;
                Span<float> state = current.Slice(i * D, D);
                _gru.Step(gates.Slice(row * 3 * D, 3 * D), hidden.Slice(i * 3 * D, 3 * D), candidates.Slice(row * D, D), state);
                state.CopyTo(states.Slice(row * D, D));
            }
        }

        Selection.Gather(plan, chunk, states, outputs, D);
    }

    // outputGradients (B, D) → direct (T, D) → hidden, gates (T, 3D) → inputGradients (T, D)
    protected override void Backward(
        StepPlan plan,
        in Chunk chunk,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<float> outputGradients,
        Span<float> inputGradients,
        long step,
        Lane lane
    )
    {
        Span<float> gates = Steps(_gates, chunk, 3);
        Span<int> order = _order.AsSpan(chunk.FirstSequence, chunk.SequenceCount);
        Span<float> previous = Previous(plan, chunk, lane);
        Span<float> hidden = lane.Rent(chunk.StepCount * 3 * D);
        Span<float> direct = lane.Rent(chunk.StepCount * D);
        Selection.Scatter(plan, chunk, outputGradients, direct, D);
        Recur(plan, chunk, order, gates, previous, direct, hidden);
        _gru.Hidden.BackwardWeights(previous, hidden, chunk.StepCount, lane);
        _gru.Input.Backward(inputs, gates, inputGradients, chunk.StepCount, lane);
    }

    // previous, direct (T, D); gates, hidden (T, 3D). From the last time step to the first: direct holds the gradient with
    // respect to each state as an output, and accumulates the gradient that flows back through time.
    private void Recur(
        StepPlan plan,
        in Chunk chunk,
        ReadOnlySpan<int> order,
        Span<float> gates,
        ReadOnlySpan<float> previous,
        Span<float> direct,
        Span<float> hidden
    )
    {
        Span<float> candidates = Steps(_candidates, chunk);
        Span<float> rows = _hidden.AsSpan(chunk.FirstSequence * 3 * D, chunk.SequenceCount * 3 * D);
        Span<float> back = _current.AsSpan(chunk.FirstSequence * D, chunk.SequenceCount * D);
        int longest = plan.Starts[order[0] + 1] - plan.Starts[order[0]];
        for (int t = longest - 1, active = 0; t >= 0; t--)
        {
            while (active < order.Length && plan.Starts[order[active] + 1] - plan.Starts[order[active]] > t)
            {
                active++;
            }

            for (int i = 0; i < active; i++)
            {
                int row = plan.Starts[order[i]] - chunk.FirstStep + t;
                Span<float> gradient = hidden.Slice(row * 3 * D, 3 * D);
                _gru.StepBackward(
                    gates.Slice(row * 3 * D, 3 * D),
                    candidates.Slice(row * D, D),
                    previous.Slice(row * D, D),
                    direct.Slice(row * D, D),
                    gradient
                );
                gradient.CopyTo(rows.Slice(i * 3 * D, 3 * D));
            }

            if (t == 0)
            {
                break;
            }

            _gru.Hidden.BackwardInput(rows, back, active, add: false);
            for (int i = 0; i < active; i++)
            {
                int row = plan.Starts[order[i]] - chunk.FirstStep + t;
                Span<float> before = direct.Slice((row - 1) * D, D);
                System.Numerics.Tensors.TensorPrimitives.Add(before, back.Slice(i * D, D), before);
                System.Numerics.Tensors.TensorPrimitives.Add(before, direct.Slice(row * D, D), before);
            }
        }
    }

    private Span<float> Previous(StepPlan plan, scoped in Chunk chunk, Lane lane)
    {
        Span<float> previous = lane.Rent(chunk.StepCount * D);
        Span<float> states = Steps(_states, chunk);
        states[..^D].CopyTo(previous[D..]);
        for (int s = chunk.FirstSequence; s < chunk.FirstSequence + chunk.SequenceCount; s++)
        {
            previous.Slice((plan.Starts[s] - chunk.FirstStep) * D, D).Clear();
        }

        return previous;
    }

    // Sequences by length, longest first; ties in order.
    private Span<int> Order(StepPlan plan, scoped in Chunk chunk)
    {
        Span<int> order = _order.AsSpan(chunk.FirstSequence, chunk.SequenceCount);
        for (int i = 0; i < order.Length; i++)
        {
            int sequence = chunk.FirstSequence + i,
                length = plan.Starts[sequence + 1] - plan.Starts[sequence],
                at = i;
            for (; at > 0 && plan.Starts[order[at - 1] + 1] - plan.Starts[order[at - 1]] < length; at--)
            {
                order[at] = order[at - 1];
            }

            order[at] = sequence;
        }

        return order;
    }

    private static int Active(StepPlan plan, ReadOnlySpan<int> order, int active, int t)
    {
        while (active > 0 && plan.Starts[order[active - 1] + 1] - plan.Starts[order[active - 1]] <= t)
        {
            active--;
        }

        return active;
    }
}
