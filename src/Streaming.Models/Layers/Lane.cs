using Streaming.Kernels.Simd;
using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>
/// One of a fixed number of shares of a step's work: gradients of a lane's chunks are summed in chunk order, and the lanes in
/// lane order. The number of threads only changes which thread works on a lane, never the order of additions.
/// </summary>
public sealed class Lane(int parameterLength, ReadOnlySpan<int> widths)
{
    private AlignedFloats _scratch = AlignedFloats.Empty;
    private AlignedFloats _core = AlignedFloats.Empty;
    private int _used;

    /// <summary>Gets the lane's sum of gradients of the dense parameters.</summary>
    public float[] Gradients { get; } = new float[parameterLength];

    /// <summary>Gets the norm kernel of the lane, which has its own scratch for gradient sums.</summary>
    public Kernels.Norms.IncrementNorm Norm { get; } = new(widths);

    /// <summary>Gradient of a parameter, to be added to.</summary>
    public Span<float> Gradient(Parameter parameter) => Gradients.AsSpan(parameter.Offset, parameter.Length);

    /// <summary>Scratch of one product, uninitialised, valid until the next call.</summary>
    public Span<float> Core(int length)
    {
        Buffers.Grow(ref _core, length);
        return _core.AsSpan(0, length);
    }

    /// <summary>Reserves space for a chunk's scratch and releases the previous chunk's.</summary>
    public void Reserve(int length)
    {
        if (_scratch.Length < length)
        {
            _scratch = new AlignedFloats(length);
        }

        _used = 0;
    }

    /// <summary>Scratch of a chunk, uninitialised, valid until the next <see cref="Reserve"/>.</summary>
    public Span<float> Rent(int length)
    {
        Span<float> span = _scratch.AsSpan(_used, length);
        _used += length;
        return span;
    }
}
