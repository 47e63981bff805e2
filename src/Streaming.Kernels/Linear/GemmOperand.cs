namespace Streaming.Kernels.Linear;

/// <summary>A matrix with strides, so that one kernel serves both the plain and the transposed form.</summary>
internal readonly ref struct GemmOperand(ReadOnlySpan<float> values, int rowStride, int stepStride)
{
    public readonly ReadOnlySpan<float> Values = values;

    /// <summary>Distance between rows.</summary>
    public readonly nint RowStride = rowStride;

    /// <summary>Distance between elements of a row.</summary>
    public readonly nint StepStride = stepStride;

    public void Check(int rows, int columns, string name) => Check(Values.Length, rows, columns, RowStride, StepStride, name);

    public static void Check(int length, int rows, int columns, nint rowStride, nint stepStride, string name)
    {
        if (rows == 0 || columns == 0)
        {
            return;
        }

        // One of the two strides is 1; the other is the leading dimension.
        nint leading = rowStride == 1 ? stepStride : rowStride;
        int least = rowStride == 1 && stepStride != 1 ? rows : columns;
        long needed = (rows - 1L) * rowStride + (columns - 1L) * stepStride + 1;
        if (leading < least && !(rowStride == 1 && stepStride == 1))
        {
            throw new ArgumentException($"The leading dimension of {name} is {leading}; a row has {least} values.", name);
        }

        if (length < needed)
        {
            throw new ArgumentException($"{name} has {length} values; {rows} × {columns} with its leading dimension needs {needed}.", name);
        }
    }
}
