using Streaming.Models.State;

namespace Streaming.Learning.Torch.Items;

/// <summary>Rows of a table that were set on the host and are not on the device yet: thousands of small copies become one.</summary>
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

    /// <summary>The values of a row, to be set whole.</summary>
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

    /// <summary>Forgets all rows.</summary>
    public void Clear()
    {
        _places.Clear();
        _rows.Clear();
    }
}
