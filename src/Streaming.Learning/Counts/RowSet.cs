namespace Streaming.Learning.Counts;

/// <summary>A set of rows with constant-time clearing.</summary>
/// <param name="capacity">Number of rows.</param>
internal sealed class RowSet(int capacity)
{
    private readonly int[] _stamps = new int[capacity];
    private int _stamp = 1;

    /// <summary>Gets the number of rows in the set.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a row is in the set.</summary>
    public bool Contains(int row) => _stamps[row] == _stamp;

    /// <summary>Adds a row.</summary>
    public void Add(int row)
    {
        if (_stamps[row] != _stamp)
        {
            _stamps[row] = _stamp;
            Count++;
        }
    }

    /// <summary>Empties the set.</summary>
    public void Clear()
    {
        Count = 0;
        if (_stamp++ == int.MaxValue)
        {
            Array.Clear(_stamps);
            _stamp = 1;
        }
    }
}
