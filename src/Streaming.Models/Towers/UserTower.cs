using System.Numerics.Tensors;
using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Towers;

/// <summary>
/// Maps the item vectors of histories to user vectors, forward and backward, chunk by chunk. Every tower has the prefix
/// property: the first w outputs depend only on the first w inputs and on weights of slices up to w.
/// </summary>
public abstract class UserTower
{
    private readonly Parameter _start;
    private readonly Dropout _dropout;
    private readonly List<Dropout> _stepDropouts = [];
    private readonly List<Dropout> _predictionDropouts = [];
    private AlignedFloats _inputs = AlignedFloats.Empty;
    private AlignedFloats _inputGradients = AlignedFloats.Empty;
    private AlignedFloats _outputs = AlignedFloats.Empty;
    private AlignedFloats _outputGradients = AlignedFloats.Empty;

    /// <summary>Creates the tower.</summary>
    /// <param name="set">Receives the tower's parameters.</param>
    /// <param name="options">The model's options.</param>
    /// <param name="widths">The nested widths.</param>
    protected UserTower(ParameterSet set, ModelOptions options, Increments widths)
    {
        Set = set;
        Options = options;
        Widths = widths;
        D = widths.Dimension;
        _start = set.Add("tower.start", decays: false, D);
        _dropout = NewDropout(0);
    }

    /// <summary>Gets the target number of steps per chunk: its activations fit the L2 cache.</summary>
    public virtual int ChunkSteps => Math.Clamp(65536 / D, 32, 512);

    /// <summary>Gets the gradient with respect to the item vector at each step [P × D].</summary>
    public ReadOnlySpan<float> InputGradients => _inputGradients.Span;

    /// <summary>Gets the number of vectors per user: 1, or the number of interests.</summary>
    public virtual int VectorsPerUser => 1;

    /// <summary>Gets the length of a user's recurrent state; 0 for a tower without one.</summary>
    public virtual int StateLength => 0;

    /// <summary>Gets the start vector.</summary>
    public ReadOnlySpan<float> Start => Set.Value(_start);

    /// <summary>Gets the parameters.</summary>
    protected ParameterSet Set { get; }

    /// <summary>Gets the model's shape.</summary>
    protected ModelOptions Options { get; }

    /// <summary>Gets the nested widths.</summary>
    protected Increments Widths { get; }

    /// <summary>Gets the full width.</summary>
    protected int D { get; }

    /// <summary>Creates the tower that the options name.</summary>
    public static UserTower Create(ParameterSet set, ModelOptions options, Increments widths) =>
        options.Tower switch
        {
            TowerKind.FmrlRec => new FmrlRecTower(set, options, widths),
            TowerKind.YoutubeDnn => new YoutubeDnnTower(set, options, widths),
            TowerKind.Gru4Rec => new Gru4RecTower(set, options, widths),
            TowerKind.Mind => new MindTower(set, options, widths),
            _ => throw new ArgumentException($"Tower is {options.Tower}; allowed: {string.Join(", ", Enum.GetNames<TowerKind>())}."),
        };

    /// <summary>Sets the initial values.</summary>
    public virtual void Initialize()
    {
        Gaussian.For(Options.Seed, _start.Name).Fill(Set.Value(_start), Options.ItemDeviation);
    }

    /// <summary>Computes everything that depends on parameters only; call once per step, before any chunk.</summary>
    public virtual void Prepare() { }

    /// <summary>Says where a share begins in the batch that several engines work on, so that its rows are dropped as they would be in
    /// the whole batch.</summary>
    /// <param name="firstStep">Steps before the share's first.</param>
    /// <param name="firstPrediction">Predictions before the share's first.</param>
    public void SetOrigin(int firstStep, int firstPrediction)
    {
        foreach (Dropout dropout in _stepDropouts)
        {
            dropout.Origin = firstStep;
        }

        foreach (Dropout dropout in _predictionDropouts)
        {
            dropout.Origin = firstPrediction;
        }
    }

    /// <summary>Reserves space for a batch.</summary>
    public virtual void Reserve(StepPlan plan)
    {
        Buffers.Grow(ref _inputs, plan.StepCount, D);
        Buffers.Grow(ref _inputGradients, plan.StepCount, D);
        Buffers.Grow(ref _outputs, plan.PredictionCount, D * VectorsPerUser);
        Buffers.Grow(ref _outputGradients, plan.PredictionCount, D * VectorsPerUser);
    }

    /// <summary>The vector that scores each prediction in training [B × D].</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="candidates">Candidate vectors, for a tower whose vector depends on the label.</param>
    /// <param name="positives">Column of each prediction's positive.</param>
    public virtual ReadOnlySpan<float> Users(StepPlan plan, ReadOnlySpan<float> candidates, ReadOnlySpan<int> positives) => Outputs(plan);

    /// <summary>Gradients with respect to <see cref="Users"/> [B × D], to be set before the backward pass.</summary>
    public virtual Span<float> UserGradients(StepPlan plan) => OutputGradients(plan);

    /// <summary>Vectors of the batch's predictions [B × VectorsPerUser × D].</summary>
    public Span<float> Outputs(StepPlan plan) => _outputs.AsSpan(0, plan.PredictionCount * VectorsPerUser * D);

    /// <summary>Gradients with respect to <see cref="Outputs"/> [B × VectorsPerUser × D].</summary>
    protected Span<float> OutputGradients(StepPlan plan) => _outputGradients.AsSpan(0, plan.PredictionCount * VectorsPerUser * D);

    /// <summary>Advances one user by one event, without dropout.</summary>
    /// <param name="x">[D] item vector; the start vector comes first.</param>
    /// <param name="state">In and out: [<see cref="StateLength"/>], zero before the start vector.</param>
    /// <param name="vector">Out: [D].</param>
    /// <param name="scratch">[16 D].</param>
    public virtual void Advance(ReadOnlySpan<float> x, Span<float> state, Span<float> vector, Span<float> scratch) =>
        throw new NotSupportedException($"The tower {Options.Tower} has no recurrent form.");

    /// <summary>Forward pass of a chunk.</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="items">Encoded distinct items by slot [n × D].</param>
    /// <param name="step">Training step; negative: no dropout.</param>
    public void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> items, long step)
    {
        Span<float> inputs = Steps(_inputs, chunk);
        Span<float> start = Set.Value(_start);
        for (int r = 0; r < chunk.StepCount; r++)
        {
            int slot = plan.Slots[chunk.FirstStep + r];
            (slot < 0 ? start : items.Slice(slot * D, D)).CopyTo(inputs.Slice(r * D, D));
        }

        _dropout.Apply(inputs, chunk.FirstStep, step);
        Forward(plan, chunk, inputs, Predictions(_outputs, chunk, D * VectorsPerUser), step);
    }

    /// <summary>Backward pass of a chunk, after its forward pass with the same arguments.</summary>
    public void Backward(StepPlan plan, in Chunk chunk, long step, Lane lane)
    {
        // Enough for every tower: a handful of temporaries of a chunk's activations.
        lane.Reserve((ScratchPerStep * D * chunk.StepCount) + (8 * D));
        Span<float> gradients = Steps(_inputGradients, chunk);
        Backward(plan, chunk, Steps(_inputs, chunk), Predictions(_outputGradients, chunk, D * VectorsPerUser), gradients, step, lane);
        _dropout.Apply(gradients, chunk.FirstStep, step);
        Span<float> start = lane.Gradient(_start);
        for (int r = 0; r < chunk.StepCount; r++)
        {
            if (plan.Slots[chunk.FirstStep + r] < 0)
            {
                TensorPrimitives.Add(start, gradients.Slice(r * D, D), start);
            }
        }
    }

    /// <summary>Gets the number of rows of D floats that the backward pass rents per step.</summary>
    protected virtual int ScratchPerStep => 12;

    /// <summary>Tower-specific forward pass: inputs [steps × D] → outputs [predictions × VectorsPerUser × D].</summary>
    protected abstract void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> inputs, Span<float> outputs, long step);

    /// <summary>Tower-specific backward pass: outputs <paramref name="inputGradients"/> [steps × D].</summary>
    protected abstract void Backward(
        StepPlan plan,
        in Chunk chunk,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<float> outputGradients,
        Span<float> inputGradients,
        long step,
        Lane lane
    );

    /// <summary>Creates the dropout layer with a given number.</summary>
    /// <param name="site">The number.</param>
    /// <param name="ofPredictions">Whether its rows are predictions; false: steps.</param>
    protected Dropout NewDropout(int site, bool ofPredictions = false)
    {
        var dropout = new Dropout(Widths, Options.DropoutRates, Options.Seed, site);
        (ofPredictions ? _predictionDropouts : _stepDropouts).Add(dropout);
        return dropout;
    }

    /// <summary>The chunk's part of a buffer with one row per step.</summary>
    protected Span<float> Steps(AlignedFloats buffer, scoped in Chunk chunk, int factor = 1) =>
        buffer.AsSpan(chunk.FirstStep * D * factor, chunk.StepCount * D * factor);

    /// <summary>The chunk's part of a buffer with one row per prediction.</summary>
    protected static Span<float> Predictions(AlignedFloats buffer, scoped in Chunk chunk, int columns) =>
        buffer.AsSpan(chunk.FirstPrediction * columns, chunk.PredictionCount * columns);
}
