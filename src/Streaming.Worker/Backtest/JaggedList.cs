using System.Runtime.InteropServices;

namespace Streaming.Worker.Backtest;

/// <summary>Rows of different lengths, end to end.</summary>
internal sealed class JaggedList
{
    private readonly List<int> _values = [];
    private readonly List<int> _offsets = [0];

    /// <summary>Gets the number of rows.</summary>
    public int Count => _offsets.Count - 1;

    /// <summary>Gets the number of values of all rows.</summary>
    public int ValueCount => _values.Count;

    /// <summary>Gets a row; valid until the next <see cref="Add"/>.</summary>
    public ReadOnlySpan<int> this[int row] => CollectionsMarshal.AsSpan(_values)[_offsets[row].._offsets[row + 1]];

    /// <summary>Adds a row.</summary>
    public void Add(ReadOnlySpan<int> row)
    {
        _values.AddRange(row);
        _offsets.Add(_values.Count);
    }
}
