using Streaming.Core.Items;

namespace Streaming.Serving.Filters;

/// <summary>The attributes of a segment's rows, by column: codes of texts, numbers. The segment's lock guards them.</summary>
/// <remarks>A list of texts has as many columns of codes as its longest list in the segment: a condition is tested by comparing whole
/// columns, without following a reference per item.</remarks>
internal sealed class AttributeColumns
{
    private readonly int _rows;
    private readonly int[][][] _codes;
    private readonly double[][] _numbers;
    private readonly long[] _events;
    private readonly long[] _since;
    private readonly long[] _popularity;

    public AttributeColumns(AttributeSchema schema, int rows)
    {
        _rows = rows;
        _codes = [.. schema.Fields.Select(static _ => Array.Empty<int[]>())];
        _numbers = [.. schema.Fields.Select(field => field.Kind == AttributeKind.Number ? Empty(rows) : [])];
        _events = new long[rows];
        _since = new long[rows];
        _popularity = new long[rows];
    }

    /// <summary>Gets the size in bytes.</summary>
    public long Bytes =>
        (_codes.Sum(static columns => columns.Length) * (long)_rows * sizeof(int))
        + ((_numbers.Sum(static numbers => (long)numbers.Length) + _events.Length + _since.Length + _popularity.Length) * sizeof(double));

    /// <summary>The columns of codes of a field: none when no row has a value.</summary>
    public int[][] CodesOf(int field) => _codes[field];

    /// <summary>The numbers of a field.</summary>
    public ReadOnlySpan<double> NumbersOf(int field) => _numbers[field];

    /// <summary>Number of events of each row's item.</summary>
    public ReadOnlySpan<long> Events => _events;

    /// <summary>When each row's item became known.</summary>
    public ReadOnlySpan<long> Since => _since;

    /// <summary>Whether a row has a value of a field. Its first column is the last to be empty.</summary>
    public bool Has(int field, int row) =>
        _numbers[field].Length > 0 ? !double.IsNaN(_numbers[field][row]) : _codes[field].Length > 0 && _codes[field][0][row] > 0;

    /// <summary>What an order sorts a row by, the greatest first; 0: it is left out.</summary>
    public long OrderOf(ItemOrder order, int row) =>
        order switch
        {
            ItemOrder.Popular => _events[row],
            ItemOrder.Recent => _popularity[row],
            _ => _since[row],
        };

    /// <summary>Sets the attributes of a row.</summary>
    public void Set(int row, AttributeRow attributes)
    {
        for (int field = 0; field < _codes.Length; field++)
        {
            Set(ref _codes[field], row, attributes.Codes[field]);
            if (_numbers[field].Length > 0)
            {
                _numbers[field][row] = attributes.Numbers[field];
            }
        }

        (_events[row], _since[row], _popularity[row]) = (attributes.Facts.Events, attributes.Facts.Since, attributes.Facts.Popularity);
    }

    private static double[] Empty(int rows)
    {
        double[] numbers = new double[rows];
        Array.Fill(numbers, double.NaN);
        return numbers;
    }

    private void Set(ref int[][] columns, int row, List<int> codes)
    {
        while (columns.Length < codes.Count)
        {
            columns = [.. columns, new int[_rows]];
        }

        for (int i = 0; i < columns.Length; i++)
        {
            columns[i][row] = i < codes.Count ? codes[i] : 0;
        }
    }
}
