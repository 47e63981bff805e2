using System.Numerics.Tensors;
using Streaming.Kernels.Simd;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>
/// Gradients of the distinct items of a step: each is the sum over the steps and candidate columns of that item, in that order,
/// whichever thread computes it.
/// </summary>
internal sealed class ItemGradients(int d)
{
    private int[] _offsets = [];
    private int[] _places = [];
    private AlignedFloats _sums = AlignedFloats.Empty;
    private int _count;

    /// <summary>Gets the sums by slot [n × D].</summary>
    public Span<float> Sums => _sums.AsSpan(0, _count * d);

    /// <summary>Plans the sums: finds the steps and columns of each item.</summary>
    /// <param name="count">Number of distinct items.</param>
    /// <param name="steps">Slot of each step; −1: none.</param>
    /// <param name="columns">Slot of each candidate column with gradient.</param>
    public void Plan(int count, ReadOnlySpan<int> steps, ReadOnlySpan<int> columns)
    {
        _count = count;
        Buffers.Grow(ref _offsets, count + 2);
        Buffers.Grow(ref _places, steps.Length + columns.Length);
        Buffers.Grow(ref _sums, count, d);

        // Counting sort; offsets are one ahead while positions are assigned.
        Span<int> offsets = _offsets.AsSpan(0, count + 2);
        offsets.Clear();
        Count(steps, offsets);
        Count(columns, offsets);
        for (int slot = 2; slot < offsets.Length; slot++)
        {
            offsets[slot] += offsets[slot - 1];
        }

        for (int step = 0; step < steps.Length; step++)
        {
            if (steps[step] >= 0)
            {
                _places[offsets[steps[step] + 1]++] = step;
            }
        }

        for (int column = 0; column < columns.Length; column++)
        {
            _places[offsets[columns[column] + 1]++] = ~column;
        }
    }

    /// <summary>Sums of the slots first … end − 1.</summary>
    public void Sum(int first, int end, ReadOnlySpan<float> stepGradients, ReadOnlySpan<float> columnGradients)
    {
        for (int slot = first; slot < end; slot++)
        {
            Span<float> sum = _sums.AsSpan(slot * d, d);
            sum.Clear();
            foreach (int place in _places.AsSpan(_offsets[slot].._offsets[slot + 1]))
            {
                ReadOnlySpan<float> gradient = place >= 0 ? stepGradients.Slice(place * d, d) : columnGradients.Slice(~place * d, d);
                TensorPrimitives.Add(sum, gradient, sum);
            }
        }
    }

    private static void Count(ReadOnlySpan<int> slots, Span<int> offsets)
    {
        foreach (int slot in slots)
        {
            if (slot >= 0)
            {
                offsets[slot + 2]++;
            }
        }
    }
}
