namespace Streaming.Models.State;

/// <summary>
/// All dense parameters of a model in one array, with parallel arrays for gradients and optimiser moments, so that norm, clip
/// and update are one pass over memory each.
/// </summary>
public sealed class ParameterSet
{
    // Parameters start at multiples of a cache line.
    private const int Alignment = 16;
    private readonly List<Parameter> _all = [];
    private int _length;

    /// <summary>Gets the parameters in the order in which they were added.</summary>
    public IReadOnlyList<Parameter> All => _all;

    /// <summary>Gets the length of the arrays; the gaps between parameters stay zero.</summary>
    public int Length => _length;

    /// <summary>Gets the values.</summary>
    public float[] Values { get; private set; } = [];

    /// <summary>Gets the gradient of the step.</summary>
    public float[] Gradients { get; private set; } = [];

    /// <summary>Gets Adam's first moments.</summary>
    public float[] FirstMoments { get; private set; } = [];

    /// <summary>Gets Adam's second moments.</summary>
    public float[] SecondMoments { get; private set; } = [];

    /// <summary>Declares a parameter.</summary>
    public Parameter Add(string name, bool decays, params int[] shape)
    {
        var parameter = new Parameter(name, shape, _length, decays);
        _all.Add(parameter);
        _length = checked(_length + ((parameter.Length + Alignment - 1) / Alignment * Alignment));
        return parameter;
    }

    /// <summary>Allocates the arrays, after all parameters have been declared.</summary>
    public void Allocate()
    {
        Values = new float[_length];
        Gradients = new float[_length];
        FirstMoments = new float[_length];
        SecondMoments = new float[_length];
    }

    /// <summary>Values of a parameter.</summary>
    public Span<float> Value(Parameter parameter) => Values.AsSpan(parameter.Offset, parameter.Length);
}
