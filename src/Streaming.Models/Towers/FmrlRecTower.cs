using Streaming.Kernels.Simd;
using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Towers;

/// <summary>Full-scale Matryoshka recommender [fMRLRec]: nested LRU blocks; the user vector is the last step's output.</summary>
internal sealed class FmrlRecTower : UserTower
{
    private readonly IncrementNorm? _inputNorm;
    private readonly IncrementNorm? _outputNorm;
    private readonly NestedLinear? _outputLinear;
    private readonly LruBlock[] _blocks;
    private AlignedFloats _normalInputs = AlignedFloats.Empty;
    private AlignedFloats _normalOutputs = AlignedFloats.Empty;

    public FmrlRecTower(ParameterSet set, ModelOptions options, Increments widths)
        : base(set, options, widths)
    {
        _inputNorm = options.InputNorm ? new IncrementNorm(set, "tower.input_norm", widths) : null;
        _blocks = new LruBlock[options.Layers];
        for (int i = 0; i < _blocks.Length; i++)
        {
            bool isLast = i == _blocks.Length - 1;
            _blocks[i] = new LruBlock(
                set,
                $"tower.block{i}",
                widths,
                isLast,
                options.Norm,
                site => NewDropout(site, ofPredictions: isLast),
                1 + (3 * i)
            );
        }

        _outputNorm = options.OutputNorm ? new IncrementNorm(set, "tower.output_norm", widths) : null;
        _outputLinear = options.OutputLinear ? new NestedLinear(set, "tower.output", widths, widths) : null;
    }

    /// <summary>Gets the blocks.</summary>
    public ReadOnlySpan<LruBlock> Blocks => _blocks;

    /// <summary>Gets the length of the state: D complex numbers per block.</summary>
    public override int StateLength => 2 * D * _blocks.Length;

    protected override int ScratchPerStep => 12 * Options.Layers;

    public override void Initialize()
    {
        base.Initialize();
        _inputNorm?.Initialize();
        _outputNorm?.Initialize();
        _outputLinear?.InitializeDiagonal(Options.OutputLinearScale, Options.OutputNegatives);
        foreach (LruBlock block in _blocks)
        {
            block.Initialize(Options);
        }
    }

    public override void Prepare()
    {
        foreach (LruBlock block in _blocks)
        {
            block.Prepare();
        }

        _outputLinear?.Prepare();
    }

    public override void Reserve(StepPlan plan)
    {
        base.Reserve(plan);
        _inputNorm?.Reserve(plan.StepCount);
        _outputNorm?.Reserve(plan.PredictionCount);
        Buffers.Grow(ref _normalInputs, _inputNorm is null ? 0 : plan.StepCount, D);
        Buffers.Grow(ref _normalOutputs, _outputNorm is null ? 0 : plan.PredictionCount, D);
        foreach (LruBlock block in _blocks)
        {
            block.Reserve(plan);
        }
    }

    public override void Advance(ReadOnlySpan<float> x, Span<float> state, Span<float> vector, Span<float> scratch)
    {
        Span<float> row = scratch[..D];
        x.CopyTo(row);
        _inputNorm?.ForwardRow(row, row);
        for (int i = 0; i < _blocks.Length; i++)
        {
            _blocks[i].Advance(row, state.Slice(i * 2 * D, 2 * D), scratch[D..]);
        }

        _outputNorm?.ForwardRow(row, row);
        if (_outputLinear is null)
        {
            row.CopyTo(vector);
        }
        else
        {
            _outputLinear.Forward(row, vector, 1);
        }
    }

    // inputs (T, D) → blocks: (T, D), the last (B, D) → outputs (B, D); T steps and B predictions of the chunk
    protected override void Forward(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> inputs, Span<float> outputs, long step)
    {
        _inputNorm?.Forward(inputs, Steps(_normalInputs, chunk), chunk.FirstStep);
        ReadOnlySpan<float> x = BlockInput(chunk, inputs);
        foreach (LruBlock block in _blocks)
        {
            block.Forward(plan, chunk, x, step);
            x = block.Output(chunk);
        }

        if (_outputNorm is not null)
        {
            Span<float> normal = Predictions(_normalOutputs, chunk, D);
            _outputNorm.Forward(x, normal, chunk.FirstPrediction);
            x = normal;
        }

        if (_outputLinear is null)
        {
            x.CopyTo(outputs);
        }
        else
        {
            _outputLinear.Forward(x, outputs, chunk.PredictionCount);
        }
    }

    // outputGradients (B, D) → last block: (T, D) → inputGradients (T, D)
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
        ReadOnlySpan<float> dy = OutputBackward(chunk, outputGradients, lane);
        for (int i = _blocks.Length - 1; i >= 0; i--)
        {
            ReadOnlySpan<float> x = i == 0 ? BlockInput(chunk, inputs) : _blocks[i - 1].Output(chunk);
            Span<float> dx = i == 0 ? inputGradients : lane.Rent(chunk.StepCount * D);
            _blocks[i].Backward(plan, chunk, x, dy, dx, step, lane);
            dy = dx;
        }

        _inputNorm?.Backward(inputs, inputGradients, inputGradients, chunk.FirstStep, lane, add: false);
    }

    private ReadOnlySpan<float> OutputBackward(scoped in Chunk chunk, ReadOnlySpan<float> outputGradients, Lane lane)
    {
        ReadOnlySpan<float> dy = outputGradients;
        Span<float> output = _blocks[^1].Output(chunk);
        if (_outputLinear is not null)
        {
            Span<float> dx = lane.Rent(chunk.PredictionCount * D);
            _outputLinear.Backward(
                _outputNorm is null ? output : Predictions(_normalOutputs, chunk, D),
                dy,
                dx,
                chunk.PredictionCount,
                lane
            );
            dy = dx;
        }

        if (_outputNorm is not null)
        {
            Span<float> dx = lane.Rent(chunk.PredictionCount * D);
            _outputNorm.Backward(output, dy, dx, chunk.FirstPrediction, lane, add: false);
            dy = dx;
        }

        return dy;
    }

    private ReadOnlySpan<float> BlockInput(scoped in Chunk chunk, ReadOnlySpan<float> inputs) =>
        _inputNorm is null ? inputs : Steps(_normalInputs, chunk);
}
