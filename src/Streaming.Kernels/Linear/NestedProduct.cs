using Streaming.Kernels.Widths;

namespace Streaming.Kernels.Linear;

/// <summary>
/// Products with the weights of a nested (block-triangular) linear map: slice k maps inputs [0, in_k) to the outputs of
/// increment k. The weights are packed once for many products, in panels of 32 columns, each only as deep as its columns
/// reach, so every output is written once whatever the number of slices.
/// </summary>
/// <remarks>
/// Where a slice boundary falls inside a panel, the corner is zero-filled; for finite inputs this does not change a bit of any
/// sum. Any number of threads may multiply concurrently, after one thread has packed.
/// </remarks>
public sealed class NestedProduct
{
    private readonly int[] _inputs;
    private readonly int[] _outputs;
    private readonly NestedPanels _forward;
    private readonly NestedPanels _backward;

    /// <summary>Allocates zeroed storage for the packed weights.</summary>
    /// <param name="inputs">in_1 … in_K, increasing: inputs of each slice.</param>
    /// <param name="outputs">Ends of the output increments, one per slice, increasing.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the values do not increase.</exception>
    public NestedProduct(ReadOnlySpan<int> inputs, ReadOnlySpan<int> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, inputs.Length, nameof(outputs));
        _inputs = NestedWidths.Checked(inputs);
        _outputs = NestedWidths.Checked(outputs);
        _forward = new NestedPanels(Outputs);
        for (int panel = 0; panel < _forward.Count; panel++)
        {
            // The panel's last column reads the most inputs.
            _forward.Set(panel, 0, _inputs[SliceOf(_outputs, _forward.End(panel) - 1)]);
        }

        _backward = new NestedPanels(Inputs);
        for (int panel = 0; panel < _backward.Count; panel++)
        {
            // The panel's first input is read by the most outputs: all from its slice on.
            int slice = SliceOf(_inputs, NestedPanels.Begin(panel)),
                begin = slice == 0 ? 0 : _outputs[slice - 1];
            _backward.Set(panel, begin, Outputs - begin);
        }
    }

    /// <summary>Gets the number of inputs.</summary>
    public int Inputs => _inputs[^1];

    /// <summary>Gets the number of outputs.</summary>
    public int Outputs => _outputs[^1];

    /// <summary>Packs the weights of a slice.</summary>
    /// <param name="slice">k, from 0.</param>
    /// <param name="weights">[in_k × outputs of increment k].</param>
    public void Pack(int slice, ReadOnlySpan<float> weights)
    {
        int begin = slice == 0 ? 0 : _outputs[slice - 1],
            columns = _outputs[slice] - begin;
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, _inputs[slice] * columns, nameof(weights));
        for (int input = 0; input < _inputs[slice]; input++)
        {
            _forward.SetRow(input, begin, weights.Slice(input * columns, columns));
            for (int j = 0; j < columns; j++)
            {
                _backward[begin + j, input] = weights[(input * columns) + j];
            }
        }
    }

    /// <summary>Y = X · W + b.</summary>
    /// <param name="x">[rows × inputs].</param>
    /// <param name="bias">[outputs], or empty: none.</param>
    /// <param name="y">Out: [rows × outputs].</param>
    /// <param name="rows">Rows, 0 and up.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Forward(ReadOnlySpan<float> x, ReadOnlySpan<float> bias, Span<float> y, int rows)
    {
        Check(x.Length, y.Length, rows);
        if (!bias.IsEmpty)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, Outputs, nameof(bias));
        }

        _forward.Multiply(x, Inputs, y, bias, accumulate: false, rows);
    }

    /// <summary>dX = dY · Wᵀ, or dX += dY · Wᵀ.</summary>
    /// <param name="dy">[rows × outputs].</param>
    /// <param name="dx">Out, or in and out: [rows × inputs].</param>
    /// <param name="rows">Rows, 0 and up.</param>
    /// <param name="accumulate">Whether the product is added to dX.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Backward(ReadOnlySpan<float> dy, Span<float> dx, int rows, bool accumulate)
    {
        Check(dx.Length, dy.Length, rows);
        _backward.Multiply(dy, Outputs, dx, [], accumulate, rows);
    }

    private static int SliceOf(ReadOnlySpan<int> ends, int column)
    {
        int slice = 0;
        while (ends[slice] <= column)
        {
            slice++;
        }

        return slice;
    }

    private void Check(int x, int y, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(x, (long)rows * Inputs, nameof(x));
        ArgumentOutOfRangeException.ThrowIfLessThan(y, (long)rows * Outputs, nameof(y));
    }
}
