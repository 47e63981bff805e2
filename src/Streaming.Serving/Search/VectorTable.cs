using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;

namespace Streaming.Serving.Search;

/// <summary>
/// The vectors of one generation. One writer at a time; any number of threads may search and read concurrently and get an item's id
/// and vector consistently.
/// </summary>
internal sealed class VectorTable : IDisposable
{
    private readonly RowDirectory _rows = new();
    private readonly Stack<int> _free = new();
    private readonly int[] _widths;
    private volatile ItemSegment[] _segments = [];
    private int _used;

    /// <param name="widths">The nested widths, increasing; the last is the rows' width.</param>
    /// <param name="element">Element type of the rows.</param>
    public VectorTable(IReadOnlyList<int> widths, RowElement element)
    {
        _widths = [.. widths];
        Element = element;
    }

    public RowElement Element { get; }

    public int Width => _widths[^1];

    public int Count => _rows.Count;

    public long Bytes => _segments.Sum(static segment => segment.Bytes);

    /// <summary>Number of rows in use or free, to iterate over all.</summary>
    public int Used => _used;

    public void Set(string id, ReadOnlySpan<float> vector, in EmbeddingStamp stamp)
    {
        ulong key = RedisKeys.Hash(id);
        bool known = _rows.TryFind(key, out int row);
        if (!known)
        {
            row = _free.TryPop(out int free) ? free : Grow();
        }

        Segment(row).Set(row % ItemSegment.Rows, id, vector, in stamp);
        if (!known)
        {
            _rows.Add(key, row);
        }
    }

    public void Remove(string id)
    {
        if (_rows.TryRemove(RedisKeys.Hash(id), out int row))
        {
            Segment(row).Remove(row % ItemSegment.Rows);
            _free.Push(row);
        }
    }

    /// <summary>Whether the table already contains a change of an item.</summary>
    public bool Has(string id, uint token, long step) =>
        _rows.TryFind(RedisKeys.Hash(id), out int row) && Segment(row).IsAtLeast(row % ItemSegment.Rows, token, step);

    /// <summary>The item of a row, or null. Writer only.</summary>
    public string? IdAt(int row) => Segment(row).IdAt(row % ItemSegment.Rows);

    public bool TryRead(ulong key, Span<float> vector, out string id, out long step)
    {
        (id, step) = (string.Empty, 0);
        return _rows.TryFind(key, out int row) && Segment(row).TryRead(row % ItemSegment.Rows, key, vector, out id, out step);
    }

    /// <summary>The ids of all items from a place on and around, 0 … 1 of the rows.</summary>
    public IEnumerable<string> Ids(double start)
    {
        ItemSegment[] segments = _segments;
        (int first, int skipped) = Math.DivRem((int)(start * _used), ItemSegment.Rows);
        string[] ids = new string[ItemSegment.Rows];
        for (int i = 0; i <= segments.Length && segments.Length > 0; i++)
        {
            // The first segment comes twice: its end at first, its beginning at last.
            int count = segments[(first + i) % segments.Length].CopyIds(ids, out int before, skipped);
            (int from, int to) =
                i == 0 ? (before, count)
                : i == segments.Length ? (0, before)
                : (0, count);
            for (int at = from; at < to; at++)
            {
                yield return ids[at];
            }
        }
    }

    /// <summary>Offers every item.</summary>
    public void Offer(ref BestRows best, in PreparedQuery query, Span<float> scores, Span<float> factors)
    {
        ItemSegment[] segments = _segments;
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i].Offer(ref best, i * ItemSegment.Rows, in query, scores, factors);
        }
    }

    public bool TryScore(int row, in PreparedQuery query, out Neighbour item) =>
        Segment(row).TryScore(row % ItemSegment.Rows, in query, out item);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ItemSegment segment in _segments)
        {
            segment.Dispose();
        }
    }

    private ItemSegment Segment(int row) => _segments[row / ItemSegment.Rows];

    private int Grow()
    {
        if (_used == _segments.Length * ItemSegment.Rows)
        {
            _segments = [.. _segments, new ItemSegment(Element, _widths)];
        }

        return _used++;
    }
}
