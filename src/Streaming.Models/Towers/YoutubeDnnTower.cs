using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Towers;

/// <summary>Mean of the history including the start vector, then one nested dense layer (YouTubeDNN as in CBNS).</summary>
internal sealed class YoutubeDnnTower : UserTower
{
    private readonly NestedLinear _dense;
    private AlignedFloats _means = AlignedFloats.Empty;
    private AlignedFloats _selected = AlignedFloats.Empty;

    public YoutubeDnnTower(ParameterSet set, ModelOptions options, Increments widths)
        : base(set, options, widths)
    {
        _dense = new NestedLinear(set, "tower.dense", widths, widths);
    }

    /// <summary>Gets the length of the state: the running mean, and its count.</summary>
    public override int StateLength => D + 1;

    public override void Initialize()
    {
        base.Initialize();
        _dense.Initialize(Options.Seed, Options.WeightScale);
    }

    public override void Prepare() => _dense.Prepare();

    public override void Reserve(StepPlan plan)
    {
        base.Reserve(plan);
        Buffers.Grow(ref _means, plan.StepCount, D);
        Buffers.Grow(ref _selected, plan.PredictionCount, D);
    }

    public override void Advance(ReadOnlySpan<float> x, Span<float> state, Span<float> vector, Span<float> scratch)
    {
        float count = ++state[D];
        for (int i = 0; i < D; i++)
        {
            state[i] += (x[i] - state[i]) / count;
        }

        _dense.Forward(state[..D], vector, 1);
    }

    // inputs (T, D) → means (T, D) → selected (B, D) → outputs (B, D); T steps and B predictions of the chunk
    protected override void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> inputs, Span<float> outputs, long step)
    {
        Span<float> means = Steps(_means, chunk);
        Span<float> selected = Predictions(_selected, chunk, D);
        for (int s = chunk.FirstSequence; s < chunk.FirstSequence + chunk.SequenceCount; s++)
        {
            int at = (plan.Starts[s] - chunk.FirstStep) * D;
            MeanPool.Forward(inputs[at..], means[at..], plan.Starts[s + 1] - plan.Starts[s], D);
        }

        Selection.Gather(plan, chunk, means, selected, D);
        _dense.Forward(selected, outputs, chunk.PredictionCount);
    }

    // outputGradients (B, D) → selected (B, D) → inputGradients (T, D)
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
        Span<float> selected = lane.Rent(chunk.PredictionCount * D);
        _dense.Backward(Predictions(_selected, chunk, D), outputGradients, selected, chunk.PredictionCount, lane);
        Selection.Scatter(plan, chunk, selected, inputGradients, D);
        for (int s = chunk.FirstSequence; s < chunk.FirstSequence + chunk.SequenceCount; s++)
        {
            int at = (plan.Starts[s] - chunk.FirstStep) * D;
            MeanPool.Backward(inputGradients[at..], plan.Starts[s + 1] - plan.Starts[s], D);
        }
    }
}
