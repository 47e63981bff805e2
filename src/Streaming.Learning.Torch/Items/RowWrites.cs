using Streaming.Learning.Torch.Devices;
using Streaming.Models.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Items;

/// <summary>Rows of a table set on the host but not yet on the device: turns thousands of small copies into one.</summary>
internal sealed class RowWrites : IDisposable
{
    private readonly int _columns;
    private readonly Dictionary<int, int> _places = [];
    private readonly List<int> _rows = [];
    private readonly HostBuffer<long> _index = new(ScalarType.Int64);
    private readonly HostBuffer<float> _upload = new(ScalarType.Float32);
    private float[] _values = [];

    public RowWrites(int columns)
    {
        _columns = columns;
    }

    /// <summary>Gets the rows, each once.</summary>
    public IReadOnlyList<int> Rows => _rows;

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

    /// <summary>Copies the rows, int64, and their values [n × columns] to a device, in the caller's dispose scope.</summary>
    public (Tensor Rows, Tensor Values) Upload(Device device)
    {
        _index.Reserve(_rows.Count);
        for (int i = 0; i < _rows.Count; i++)
        {
            _index.Values[i] = _rows[i];
        }

        _upload.Reserve(_rows.Count * _columns);
        _values.AsSpan(0, _rows.Count * _columns).CopyTo(_upload.Values);
        return (_index.Upload(device), _upload.Upload(device).view(_rows.Count, _columns));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _index.Dispose();
        _upload.Dispose();
    }

    /// <summary>Clears all rows.</summary>
    public void Clear()
    {
        _places.Clear();
        _rows.Clear();
    }
}
