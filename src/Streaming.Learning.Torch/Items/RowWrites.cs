using Streaming.Models.State;

namespace Streaming.Learning.Torch.Items;

/// <summary>Rows of a table set on the host but not yet on the device: turns thousands of small copies into one.</summary>
internal sealed class RowWrites
{
    private readonly int _columns;
    private readonly Dictionary<int, int> _places = [];
    private readonly List<int> _rows = [];
    private float[] _values = [];

    public RowWrites(int columns)
    {
        _columns = columns;
    }

    /// <summary>Gets the rows, each once.</summary>
    public IReadOnlyList<int> Rows => _rows;

    /// <summary>Gets their values [n × columns].</summary>
    public ReadOnlySpan<float> Values => _values.AsSpan(0, _rows.Count * _columns);

    /// <summary>The values of a row, to be set completely.</summary>
    public Span<float> Row(int row)
    {
        if (!_places.TryGetValue(row, out int place))
        {
            place = _rows.Count;
            _places.Add(row, place);
            _rows.Add(row);
            Buffers.Extend(ref _values, (place + 1) * _columns);
        }

        return _values.AsSpan(place * _columns, _columns);
    }

    /// <summary>Clears all rows.</summary>
    public void Clear()
    {
        _places.Clear();
        _rows.Clear();
    }
}
