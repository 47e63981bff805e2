using System.Runtime.InteropServices;

namespace Streaming.Lab.Backtest;

/// <summary>Rows of different lengths in one array.</summary>
internal class JaggedList<T>
{
    private readonly List<T> _values = [];
    private readonly List<int> _offsets = [0];

    /// <summary>Gets the number of rows.</summary>
    public int Count => _offsets.Count - 1;

    /// <summary>Gets the total number of values.</summary>
    public int ValueCount => _values.Count;

    /// <summary>Gets a row; valid until the next <see cref="Add"/>.</summary>
    public ReadOnlySpan<T> this[int row] => CollectionsMarshal.AsSpan(_values)[_offsets[row].._offsets[row + 1]];

    /// <summary>Adds a row.</summary>
    public void Add(ReadOnlySpan<T> row)
    {
        _values.AddRange(row);
        _offsets.Add(_values.Count);
    }
}

/// <summary>Rows of integers.</summary>
internal sealed class JaggedList : JaggedList<int>;

/// <summary>Rows of event weights.</summary>
internal sealed class WeightList : JaggedList<float>
{
    /// <summary>Returns the number of events that are trained on, those with a weight other than 0.</summary>
    public int ExampleCount() => Enumerable.Range(0, Count).Sum(row => this[row].Length - this[row].Count(0f));
}
