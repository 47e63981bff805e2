namespace Streaming.Models.State;

/// <summary>A table of rows over a <see cref="PagedArray{T}"/>. Pages hold whole rows.</summary>
/// <remarks>One thread owns it and begins snapshots; its workers may touch different rows. Any one thread may read and end a
/// snapshot.</remarks>
public sealed class PagedRows
{
    private readonly int _shift;

    /// <summary>Allocates the table, all zero.</summary>
    /// <param name="rows">Number of rows, 0 and up.</param>
    /// <param name="columns">Floats per row, 0 and up.</param>
    public PagedRows(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        int length = Math.Max(1, columns);
        _shift = Math.Max(0, int.Log2(Math.Max(1, PagedArray<float>.PageBytes / sizeof(float) / length)));
        Values = new PagedArray<float>(checked(rows * columns), length << _shift);
    }

    /// <summary>Gets the number of rows.</summary>
    public int Rows { get; }

    /// <summary>Gets the number of floats per row.</summary>
    public int Columns { get; }

    /// <summary>Gets all rows, concatenated.</summary>
    public PagedArray<float> Values { get; }

    /// <summary>Gets all rows, concatenated. Call <see cref="Touch(int)"/> before writing.</summary>
    public Span<float> Data => Values.Data;

    /// <summary>A row. Call <see cref="Touch(int)"/> before writing.</summary>
    public Span<float> Row(int row) => Values.Data.Slice(row * Columns, Columns);

    /// <summary>Call before changing a row.</summary>
    public void Touch(int row) => Values.TouchPage(row >> _shift);

    /// <summary>Call before changing rows.</summary>
    public void Touch(int first, int count) => Values.Touch(first * Columns, count * Columns);
}
