using Streaming.Core;
using Streaming.Kernels;

namespace Streaming.Serving;

/// <summary>Vectors of items in one block of memory, rows reused. Not for two threads at a time.</summary>
/// <remarks>The block begins on a cache line, and so does every row when the width is a multiple of 16: a search at width 16
/// then reads one line an item, not two, and takes a fraction of the time.</remarks>
internal sealed class VectorTable(int width)
{
    private const int FirstCapacity = 1024;

    private readonly Dictionary<ulong, int> _rowOf = [];
    private readonly Dictionary<int, float[]> _scales = [];
    private readonly Stack<int> _free = new();
    private AlignedFloats _vectors = new(FirstCapacity * width);
    private string[] _ids = new string[FirstCapacity];
    private byte[] _present = new byte[FirstCapacity];
    private int _rows;

    public int Count => _rowOf.Count;

    public ReadOnlySpan<float> Vectors => _vectors.Span[..(_rows * width)];

    public ReadOnlySpan<byte> Present => _present.AsSpan(0, _rows);

    public string Id(int row) => _ids[row];

    /// <summary>Row of the item whose id has this hash, or −1.</summary>
    public int Find(ulong key) => _rowOf.TryGetValue(key, out int row) ? row : -1;

    public void Set(string id, ReadOnlySpan<float> vector)
    {
        ulong key = RedisKeys.Hash(id);
        if (!_rowOf.TryGetValue(key, out int row))
        {
            row = _free.TryPop(out int free) ? free : Grow();
            _rowOf[key] = row;
            _ids[row] = id;
            _present[row] = 1;
        }

        vector.CopyTo(_vectors.Span.Slice(row * width, width));
        foreach ((int at, float[] scales) in _scales)
        {
            InverseNorms.Compute(vector, width, at, scales.AsSpan(row, 1));
        }
    }

    public void Remove(string id)
    {
        if (_rowOf.Remove(RedisKeys.Hash(id), out int row))
        {
            _present[row] = 0;
            _ids[row] = string.Empty;
            _free.Push(row);
        }
    }

    /// <summary>Computes, once for each width, what turns inner products into cosines.</summary>
    public void PrepareScales(int at)
    {
        if (!_scales.ContainsKey(at))
        {
            float[] scales = new float[_present.Length];
            InverseNorms.Compute(_vectors.Span, width, at, scales);
            _scales[at] = scales;
        }
    }

    public bool HasScales(int at) => _scales.ContainsKey(at);

    public ReadOnlySpan<float> Scales(int at) => _scales[at].AsSpan(0, _rows);

    private int Grow()
    {
        if (_rows == _present.Length)
        {
            int capacity = checked(2 * _rows);
            AlignedFloats vectors = new(checked(capacity * width));
            _vectors.Span.CopyTo(vectors.Span);
            _vectors = vectors;
            Array.Resize(ref _ids, capacity);
            Array.Resize(ref _present, capacity);
            foreach (int at in _scales.Keys.ToArray())
            {
                float[] scales = _scales[at];
                Array.Resize(ref scales, capacity);
                _scales[at] = scales;
            }
        }

        return _rows++;
    }
}
