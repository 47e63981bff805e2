using System.Numerics.Tensors;
using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Towers;

/// <summary>
/// Several interests per user by nested dynamic routing [MIND]. Training scores a prediction by the interest with the highest
/// score for its label (label-aware attention with infinite power, which MIND found best); serving takes the maximum score
/// over interests.
/// </summary>
internal sealed class MindTower : UserTower
{
    // Keeps the cosine of an empty interest finite, as in the ranking.
    private const float Tiny = 1e-6f;
    private readonly NestedLinear _votes;
    private readonly NestedLinear _dense;
    private readonly Parameter _routing;
    private readonly Capsules _capsules;
    private readonly int _interests;
    private AlignedFloats _mapped = AlignedFloats.Empty;
    private AlignedFloats _weights = AlignedFloats.Empty;
    private AlignedFloats _agreements = AlignedFloats.Empty;
    private AlignedFloats _sums = AlignedFloats.Empty;
    private AlignedFloats _squashed = AlignedFloats.Empty;
    private AlignedFloats _users = AlignedFloats.Empty;
    private AlignedFloats _userGradients = AlignedFloats.Empty;
    private int[] _chosen = [];
    private int[] _sequences = [];

    public MindTower(ParameterSet set, ModelOptions options, Increments widths)
        : base(set, options, widths)
    {
        _interests = options.Interests;
        _votes = new NestedLinear(set, "tower.votes", widths, widths, bias: false);
        _dense = new NestedLinear(set, "tower.dense", widths, widths);

        // Not trained: it breaks the symmetry of the interests, and must be the same after a restart.
        _routing = set.Add("tower.routing", decays: false, _interests, options.HistoryLength + 1);
        _capsules = new Capsules(widths, _interests, options.RoutingIterations);
    }

    public override int VectorsPerUser => _interests;

    protected override int ScratchPerStep => 4 + (2 * _interests);

    public override void Initialize()
    {
        base.Initialize();
        _votes.Initialize(Options.Seed, Options.WeightScale);
        _dense.Initialize(Options.Seed, Options.WeightScale);
        Gaussian.For(Options.Seed, _routing.Name).Fill(Set.Value(_routing), 1);
    }

    public override void Prepare()
    {
        _votes.Prepare();
        _dense.Prepare();
    }

    public override void Reserve(StepPlan plan)
    {
        base.Reserve(plan);
        Buffers.Grow(ref _mapped, plan.StepCount, D);
        Buffers.Grow(ref _weights, plan.StepCount, _capsules.WeightsPerStep);
        Buffers.Grow(ref _agreements, plan.StepCount, _capsules.WeightsPerStep);
        Buffers.Grow(ref _sums, plan.PredictionCount, _interests * D);
        Buffers.Grow(ref _squashed, plan.PredictionCount, _interests * D);
        Buffers.Grow(ref _users, plan.PredictionCount, D);
        Buffers.Grow(ref _userGradients, plan.PredictionCount, D);
        Buffers.Grow(ref _chosen, plan.PredictionCount);
        Buffers.Grow(ref _sequences, plan.PredictionCount);
        for (int q = 0, sequence = 0; q < plan.PredictionCount; q++)
        {
            while (plan.Starts[sequence + 1] <= plan.Predictions[q])
            {
                sequence++;
            }

            _sequences[q] = sequence;
        }
    }

    public override ReadOnlySpan<float> Users(StepPlan plan, ReadOnlySpan<float> candidates, ReadOnlySpan<int> positives)
    {
        Span<float> outputs = Outputs(plan);
        for (int q = 0; q < plan.PredictionCount; q++)
        {
            ReadOnlySpan<float> label = candidates.Slice(positives[q] * D, D);
            float best = float.NegativeInfinity;
            for (int j = 0; j < _interests; j++)
            {
                // As in the loss and the ranking: with cosine scores an interest's length has no effect.
                Span<float> interest = outputs.Slice(((q * _interests) + j) * D, D);
                float score = TensorPrimitives.Dot(label, interest) / (Options.Cosine ? TensorPrimitives.Norm(interest) + Tiny : 1);
                if (score > best || j == 0)
                {
                    (best, _chosen[q]) = (score, j);
                }
            }

            outputs.Slice(((q * _interests) + _chosen[q]) * D, D).CopyTo(_users.AsSpan(q * D));
        }

        return _users.AsSpan(0, plan.PredictionCount * D);
    }

    public override Span<float> UserGradients(StepPlan plan) => _userGradients.AsSpan(0, plan.PredictionCount * D);

    // inputs (T, D) → mapped (T, D) → squashed (B, interests, D) → outputs (B, interests, D)
    protected override void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> inputs, Span<float> outputs, long step)
    {
        Span<float> mapped = Steps(_mapped, chunk);
        _votes.Forward(inputs, mapped, chunk.StepCount);
        int length = _interests * D,
            perStep = _capsules.WeightsPerStep;
        for (int q = chunk.FirstPrediction; q < chunk.FirstPrediction + chunk.PredictionCount; q++)
        {
            int first = plan.Starts[_sequences[q]],
                steps = plan.Starts[_sequences[q] + 1] - first;
            _capsules.Forward(
                _mapped.AsSpan(first * D, steps * D),
                Set.Value(_routing),
                steps,
                _weights.AsSpan(first * perStep, steps * perStep),
                _agreements.AsSpan(first * perStep, steps * perStep),
                _sums.AsSpan(q * length, length),
                _squashed.AsSpan(q * length, length)
            );
        }

        _dense.Forward(Predictions(_squashed, chunk, length), outputs, chunk.PredictionCount * _interests);
    }

    // user gradients (B, D) → interests, gradients (B, interests, D) → mapped (T, D) → inputGradients (T, D)
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
        int length = _interests * D,
            perStep = _capsules.WeightsPerStep;
        Span<float> interests = lane.Rent(chunk.PredictionCount * length);
        interests.Clear();
        for (int q = 0; q < chunk.PredictionCount; q++)
        {
            int prediction = chunk.FirstPrediction + q;
            _userGradients.AsSpan(prediction * D, D).CopyTo(interests.Slice((q * length) + (_chosen[prediction] * D), D));
        }

        Span<float> gradients = lane.Rent(chunk.PredictionCount * length);
        _dense.Backward(Predictions(_squashed, chunk, length), interests, gradients, chunk.PredictionCount * _interests, lane);
        Span<float> mapped = lane.Rent(chunk.StepCount * D);
        mapped.Clear();
        for (int q = 0; q < chunk.PredictionCount; q++)
        {
            int prediction = chunk.FirstPrediction + q,
                first = plan.Starts[_sequences[prediction]],
                steps = plan.Starts[_sequences[prediction] + 1] - first;
            _capsules.Backward(
                _weights.AsSpan(first * perStep, steps * perStep),
                _sums.AsSpan(prediction * length, length),
                gradients.Slice(q * length, length),
                steps,
                mapped[((first - chunk.FirstStep) * D)..]
            );
        }

        _votes.Backward(inputs, mapped, inputGradients, chunk.StepCount, lane);
    }
}
