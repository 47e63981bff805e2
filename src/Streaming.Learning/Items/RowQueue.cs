namespace Streaming.Learning.Items;

/// <summary>A queue of rows that contains each row at most once: bounded by the table, without allocation.</summary>
internal sealed class RowQueue(int capacity)
{
    private readonly int[] _ring = new int[capacity];
    private readonly bool[] _waiting = new bool[capacity];
    private int _head;

    /// <summary>Gets the number of waiting rows.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a row at the end unless it is already waiting.</summary>
    public void Enqueue(int row)
    {
        if (_waiting[row])
        {
            return;
        }

        _waiting[row] = true;
        int tail = _head + Count;
        _ring[tail < _ring.Length ? tail : tail - _ring.Length] = row;
        Count++;
    }

    /// <summary>Removes the row that has waited longest.</summary>
    public bool TryDequeue(out int row)
    {
        if (Count == 0)
        {
            row = -1;
            return false;
        }

        row = _ring[_head];
        _waiting[row] = false;
        _head = _head + 1 == _ring.Length ? 0 : _head + 1;
        Count--;
        return true;
    }

    /// <summary>Clears the queue.</summary>
    public void Clear()
    {
        while (TryDequeue(out _)) { }
    }
}
