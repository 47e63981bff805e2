using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>
/// Linear recurrent unit (Orvieto et al. 2023), without the bias of its output. States stay in the order of the parameters: for each
/// increment the real parts, then the imaginary ones.
/// </summary>
internal sealed class FusedLru : IDisposable
{
    // Blocks per multiprocessor, each with the channels of one sequence at a time.
    private const int Waves = 8;

    private readonly FusedCalls _calls;
    private readonly FusedParameter _nu;
    private readonly FusedParameter _theta;
    private readonly FusedParameter _gamma;
    private readonly FusedLinear _input;
    private readonly FusedLinear _output;
    private Tensor? _inputs;
    private Tensor? _states;
    private Tensor? _read;
    private Tensor? _selected;
    private int _steps;

    public FusedLru(FusedCalls calls, DenseParameters dense, string name)
    {
        _calls = calls;
        _nu = new FusedParameter(dense, $"{name}.nu_log");
        _theta = new FusedParameter(dense, $"{name}.theta_log");
        _gamma = new FusedParameter(dense, $"{name}.gamma_log");
        _input = new FusedLinear(dense, $"{name}.input");
        _output = new FusedLinear(dense, $"{name}.output");
    }

    /// <summary>Gets the bias of the output.</summary>
    public FusedParameter Bias => _output.Bias;

    private int Threads => Math.Min(256, (_calls.Dimension + 31) & ~31);

    private int Sequences => (int)_states!.shape[0] / _steps;

    private int Blocks => Math.Min(Sequences, Waves * _calls.Kernels.Device.Multiprocessors);

    /// <summary>Outputs at the selected steps.</summary>
    /// <param name="inputs">[S·T × D], concatenated sequences.</param>
    /// <param name="steps">T.</param>
    /// <param name="selected">[n] int64 rows of the flattened steps, or null for all.</param>
    public Tensor Forward(Tensor inputs, int steps, Tensor? selected)
    {
        (_inputs, _steps, _selected) = (inputs, steps, selected);
        _states = _input.Forward(inputs);
        _calls.Of(_calls.Kernels.ScanForward).With(_states).With(_input.Bias.Value).With(_nu.Value).With(_theta.Value);
        _calls.Then.With(_gamma.Value).With(Sequences).With(steps).Launch((Blocks, 1), Threads);
        _read = selected is null ? _states : _states.index_select(0, selected);
        return _output.Forward(_read);
    }

    /// <summary>The gradient by the inputs of all steps; adds those of the parameters.</summary>
    /// <param name="gradient">By the output.</param>
    /// <param name="onto">A tensor to add the result to, or null for a new one.</param>
    public Tensor Backward(Tensor gradient, Tensor? onto = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor byStates = Spread(_output.Backward(_read!, gradient), _selected, _states!.shape[0]);
        Tensor partial = FusedCalls.Partial(gradient.device, Blocks, 5, _calls.Dimension);
        _calls.Of(_calls.Kernels.ScanBackward).With(byStates).With(_states).With(_nu.Value).With(_theta.Value);
        _calls.Then.With(_gamma.Value).With(Sequences).With(_steps).With(partial).Launch((Blocks, 1), Threads);
        _calls.Of(_calls.Kernels.ScanFinish).With(partial).With(Blocks).With(_nu.Value).With(_theta.Value).With(_gamma.Value);
        _calls.Then.With(_nu.Gradient).With(_theta.Gradient).With(_gamma.Gradient).With(_input.Bias.Gradient);
        _calls.Then.Launch(((_calls.Dimension + 31) / 32, 1), 32 * TowerKernels.Warps, TowerKernels.Warps * 32 * sizeof(float));
        return _input.Backward(_inputs!, byStates, onto).MoveToOuterDisposeScope();
    }

    /// <summary>Values of selected rows among zeros [rows × n], or the values themselves if all are selected.</summary>
    public static Tensor Spread(Tensor values, Tensor? selected, long rows) =>
        selected is null
            ? values
            : zeros(rows, values.shape[1], dtype: values.dtype, device: values.device).index_add_(0, selected, values, 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _nu.Dispose();
        _theta.Dispose();
        _gamma.Dispose();
        _input.Dispose();
        _output.Dispose();
    }
}
