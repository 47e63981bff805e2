using Streaming.Models.State;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.State;

/// <summary>
/// All dense parameters in one device tensor, with parallel tensors for gradients and moments: norm, clip and update are a few
/// kernels over the whole, however many parameters there are. The modules hold views.
/// </summary>
/// <remarks>
/// Names and initial values are those of the CPU engine's <see cref="ParameterSet"/>. The blocks <c>name.weight.k</c> of a
/// nested map are stored in one matrix <c>name.weight</c>, with zeros elsewhere: a GPU multiplies the whole matrix faster
/// than it launches a product per block. Gradients of those zeros are masked, so they stay zero.
/// </remarks>
internal sealed class DenseParameters : IDisposable
{
    // Matrices start at multiples of a GPU cache line.
    private const long Alignment = 32;
    private readonly Dictionary<string, DeviceParameter> _views = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Start, long Columns, long FirstColumn)> _places = new(StringComparer.Ordinal);
    private readonly Tensor _exists;

    /// <summary>Copies a set's values to the device.</summary>
    public DenseParameters(ParameterSet set, Device device)
    {
        Declared = set.All;
        using DisposeScope scope = NewDisposeScope();
        List<(string Name, long Start, long[] Shape)> regions = LayOut(out long length);
        Values = zeros(length, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        Gradients = zeros_like(Values).DetachFromDisposeScope();
        FirstMoments = zeros_like(Values).DetachFromDisposeScope();
        SecondMoments = zeros_like(Values).DetachFromDisposeScope();
        DecayMask = zeros_like(Values).DetachFromDisposeScope();
        _exists = zeros_like(Values).DetachFromDisposeScope();
        foreach (Parameter parameter in set.All)
        {
            using DisposeScope one = NewDisposeScope();
            Place(Values, parameter).copy_(tensor(set.Value(parameter).ToArray(), Shape(parameter), dtype: ScalarType.Float32));
            Place(DecayMask, parameter).fill_(parameter.Decays ? 1 : 0);
            Place(_exists, parameter).fill_(1);
        }

        foreach ((string? name, long start, long[]? shape) in regions)
        {
            _views.Add(name, View(start, shape));
        }
    }

    /// <summary>Gets the declared parameters: names and shapes.</summary>
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

    /// <summary>The parameter of a name, for a module to register and use; a nested map's under the name of the whole matrix.</summary>
    public DeviceParameter this[string name] => _views[name];

    /// <summary>A declared parameter within one of these tensors: a view of its shape, in the caller's dispose scope.</summary>
    public Tensor Place(Tensor whole, Parameter parameter)
    {
        (long start, long columns, long firstColumn) = _places[parameter.Name];
        long[] shape = Shape(parameter);
        long length = columns == 0 ? parameter.Length : shape[0] * columns;
        Tensor region = whole.narrow(0, start, length);
        return columns == 0 ? region.view(shape) : region.view(shape[0], columns).narrow(1, firstColumn, shape[1]);
    }

    /// <summary>Zeroes the gradient where there is no parameter. Call under <c>no_grad</c>.</summary>
    public void MaskGradients() => Gradients.mul_(_exists);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceParameter view in _views.Values)
        {
            view.Dispose();
        }

        Values.Dispose();
        Gradients.Dispose();
        FirstMoments.Dispose();
        SecondMoments.Dispose();
        DecayMask.Dispose();
        _exists.Dispose();
    }

    private static long[] Shape(Parameter parameter) => [.. parameter.Shape.Select(size => (long)size)];

    // "name.weight" of a block "name.weight.3"; other names are unchanged.
    private static string RegionName(string name)
    {
        int dot = name.LastIndexOf('.');
        return name[..dot].EndsWith(".weight", StringComparison.Ordinal) && int.TryParse(name.AsSpan(dot + 1), out _) ? name[..dot] : name;
    }

    private List<(string Name, long Start, long[] Shape)> LayOut(out long length)
    {
        var regions = new List<(string, long, long[])>();
        long start = 0;
        foreach (IGrouping<string, Parameter> blocks in Declared.GroupBy(parameter => RegionName(parameter.Name)))
        {
            bool nested = blocks.First().Name != blocks.Key;
            long[] shape = nested
                ? [blocks.Max(block => block.Shape[0]), blocks.Sum(block => (long)block.Shape[1])]
                : Shape(blocks.First());
            long column = 0;
            foreach (Parameter? block in blocks)
            {
                _places.Add(block.Name, (start, nested ? shape[1] : 0, column));
                column += nested ? block.Shape[1] : 0;
            }

            regions.Add((blocks.Key, start, shape));
            start += (shape.Aggregate(1L, static (product, size) => product * size) + Alignment - 1) / Alignment * Alignment;
        }

        length = start;
        return regions;
    }

    // The gradient is a view too, so that autograd accumulates into the one tensor.
    private DeviceParameter View(long start, long[] shape)
    {
        long length = shape.Aggregate(1L, static (product, size) => product * size);
        var view = new DeviceParameter(Values.narrow(0, start, length).view(shape));
        view.grad = Gradients.narrow(0, start, length).view(shape);
        view.DetachFromDisposeScope();
        return view;
    }
}
