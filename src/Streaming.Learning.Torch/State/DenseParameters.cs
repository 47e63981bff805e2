using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch;

/// <summary>
/// All dense parameters in one tensor on the device, gradients and moments beside it: the norm, the clip and the update are
/// a few kernels over the whole, however many parameters there are. What the modules hold are views.
/// </summary>
/// <remarks>Names, offsets and initial values are those of the CPU engine's <see cref="ParameterSet"/>.</remarks>
internal sealed class DenseParameters : IDisposable
{
    private readonly Dictionary<string, DeviceParameter> _views = new(StringComparer.Ordinal);

    /// <summary>Copies a set's values to the device.</summary>
    public DenseParameters(ParameterSet set, Device device)
    {
        Declared = set.All;
        using var scope = NewDisposeScope();
        Values = tensor(set.Values, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        Gradients = zeros_like(Values).DetachFromDisposeScope();
        FirstMoments = zeros_like(Values).DetachFromDisposeScope();
        SecondMoments = zeros_like(Values).DetachFromDisposeScope();
        DecayMask = tensor(Decays(set), dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        foreach (var parameter in set.All)
        {
            _views.Add(parameter.Name, View(parameter));
        }
    }

    /// <summary>Gets the declared parameters: names, shapes, offsets.</summary>
    public IReadOnlyList<Parameter> Declared { get; }

    /// <summary>Gets the values [P].</summary>
    public Tensor Values { get; }

    /// <summary>Gets the gradients of the step [P]; the backward pass adds to them.</summary>
    public Tensor Gradients { get; }

    /// <summary>Gets Adam's first moments [P].</summary>
    public Tensor FirstMoments { get; }

    /// <summary>Gets Adam's second moments [P].</summary>
    public Tensor SecondMoments { get; }

    /// <summary>Gets 1 where weight decay applies, else 0 [P].</summary>
    public Tensor DecayMask { get; }

    /// <summary>The parameter of a name, for a module to register and use.</summary>
    public DeviceParameter this[string name] => _views[name];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var view in _views.Values)
        {
            view.Dispose();
        }

        Values.Dispose();
        Gradients.Dispose();
        FirstMoments.Dispose();
        SecondMoments.Dispose();
        DecayMask.Dispose();
    }

    private static float[] Decays(ParameterSet set)
    {
        float[] mask = new float[set.Length];
        foreach (var parameter in set.All)
        {
            mask.AsSpan(parameter.Offset, parameter.Length).Fill(parameter.Decays ? 1 : 0);
        }

        return mask;
    }

    // The gradient is a view too, so that autograd's additions land in the one tensor.
    private DeviceParameter View(Parameter parameter)
    {
        long[] shape = [.. parameter.Shape.Select(size => (long)size)];
        var view = new DeviceParameter(Values.narrow(0, parameter.Offset, parameter.Length).view(shape));
        view.grad = Gradients.narrow(0, parameter.Offset, parameter.Length).view(shape);
        view.DetachFromDisposeScope();
        return view;
    }
}
