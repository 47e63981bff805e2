using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;
using Streaming.Serving.Changes;
using Streaming.Serving.Filters;

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
    /// <param name="schema">The attributes of the items; null: none.</param>
    public VectorTable(IReadOnlyList<int> widths, RowElement element, AttributeSchema? schema = null)
    {
        Schema = schema ?? AttributeSchema.None;
        _widths = [.. widths];
        Element = element;
    }

    /// <summary>Gets or sets what is told of every change and may answer searches; null: nothing.</summary>
    public TableGraph? Graph { get; set; }

    public RowElement Element { get; }

    public AttributeSchema Schema { get; }

    public int Width => _widths[^1];

    public int Count => _rows.Count;

    public long Bytes => _segments.Sum(static segment => segment.Bytes);

    /// <summary>Number of rows in use or free, to iterate over all.</summary>
    public int Used => Volatile.Read(ref _used);

    /// <summary>Writes an item.</summary>
    /// <param name="id">The item.</param>
    /// <param name="vector">Its vector.</param>
    /// <param name="stamp">Where the vector comes from.</param>
    /// <param name="facts">The stored value of its facts; empty: there is none.</param>
    /// <param name="check">What the change feed told of its values; null: nothing new.</param>
    /// <returns>Why the facts were refused, in which case the item has none.</returns>
    public EmbeddingFault Set(
        string id,
        ReadOnlySpan<float> vector,
        in EmbeddingStamp stamp,
        ReadOnlySpan<byte> facts = default,
        uint? check = null
    )
    {
        AttributeRow? attributes = null;
        EmbeddingFault fault = Schema.Fields.Count > 0 ? Schema.TryRead(facts, out attributes) : EmbeddingFault.None;
        ulong key = RedisKeys.Hash(id);
        bool known = _rows.TryFind(key, out int row);
        if (!known)
        {
            row = _free.TryPop(out int free) ? free : Grow();
        }

        Segment(row).Set(row % ItemSegment.Rows, id, vector, in stamp, attributes, check);
        if (!known)
        {
            _rows.Add(key, row);
        }

        Graph?.Changed(row, id, vector);
        return fault;
    }

    public void Remove(string id)
    {
        if (_rows.TryRemove(RedisKeys.Hash(id), out int row))
        {
            Segment(row).Remove(row % ItemSegment.Rows);
            _free.Push(row);
            Graph?.Removed(id);
        }
    }

    /// <summary>Whether the table already contains a change of an item.</summary>
    public bool Has(in FeedChange change) =>
        _rows.TryFind(RedisKeys.Hash(change.Id), out int row) && Segment(row).Has(row % ItemSegment.Rows, in change);

    /// <summary>The row of an item.</summary>
    public bool TryFind(string id, out int row) => _rows.TryFind(RedisKeys.Hash(id), out row);

    /// <summary>Copies the vector in a row, and its item's id.</summary>
    /// <returns>False when the row has no item.</returns>
    public bool TryRead(int row, Span<float> vector, out string id) => Segment(row).TryRead(row % ItemSegment.Rows, vector, out id);

    /// <summary>The item of a row, or null. Writer only.</summary>
    public string? IdAt(int row) => Segment(row).IdAt(row % ItemSegment.Rows);

    public bool TryRead(ulong key, Span<float> vector, out string id, out long step)
    {
        (id, step) = (string.Empty, 0);
        return _rows.TryFind(key, out int row) && Segment(row).TryRead(row % ItemSegment.Rows, key, vector, out id, out step);
    }

    /// <summary>The ids of the items that a filter admits, from a place on and around, 0 … 1 of the rows.</summary>
    public IEnumerable<string> Ids(double start, RowFilter? filter = null)
    {
        ItemSegment[] segments = _segments;
        (int first, int skipped) = Math.DivRem((int)(start * _used), ItemSegment.Rows);
        string[] ids = new string[ItemSegment.Rows];
        byte[] masks = new byte[2 * ItemSegment.Rows];
        for (int i = 0; i <= segments.Length && segments.Length > 0; i++)
        {
            // The first segment comes twice: its end at first, its beginning at last.
            int count = segments[(first + i) % segments.Length].CopyIds(ids, out int before, skipped, filter, masks);
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

    /// <summary>Whether a filter admits an item; false for an unknown one.</summary>
    public bool Admits(ulong key, RowFilter filter) =>
        _rows.TryFind(key, out int row) && Segment(row).Admits(row % ItemSegment.Rows, key, filter);

    /// <summary>Whether a row has an item that a filter admits.</summary>
    public bool Admits(int row, RowFilter filter) => Segment(row).Admits(row % ItemSegment.Rows, filter);

    /// <summary>A score of an item with its boosts.</summary>
    public float Boosted(ulong key, RowFilter boosts, float score) =>
        _rows.TryFind(key, out int row) ? Segment(row).Boosted(row % ItemSegment.Rows, key, boosts, score) : score;

    /// <summary>The number of items that have a value of a field.</summary>
    public int CountWith(int field) => _segments.Sum(segment => segment.CountWith(field));

    /// <summary>The number of items with each text of a field, by its code.</summary>
    public int[] CountCodes(int field)
    {
        int[] counts = new int[Schema.CodesOf(field).Count + 1];
        foreach (ItemSegment segment in _segments)
        {
            segment.CountCodes(field, counts);
        }

        return counts;
    }

    /// <summary>The least and the greatest number of a field; the least is infinite when no item has one.</summary>
    public (double Least, double Greatest) RangeOf(int field)
    {
        (double least, double greatest) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (ItemSegment segment in _segments)
        {
            segment.Widen(field, ref least, ref greatest);
        }

        return (least, greatest);
    }

    /// <summary>Copies the texts of an item's field, as codes.</summary>
    public void ReadCodes(ulong key, int field, ICollection<int> codes)
    {
        if (_rows.TryFind(key, out int row))
        {
            Segment(row).ReadCodes(row % ItemSegment.Rows, key, field, codes);
        }
    }

    /// <summary>What is known of an item besides vector and attributes.</summary>
    public ItemFacts FactsOf(ulong key) => _rows.TryFind(key, out int row) ? Segment(row).FactsOf(row % ItemSegment.Rows, key) : default;

    /// <summary>Finds the first items of an order that a filter admits.</summary>
    /// <returns>Their rows, in order.</returns>
    public int[] First(int most, ItemOrder order, RowFilter? filter)
    {
        PriorityQueue<int, (long Value, int Row)> best = new(most + 1);
        byte[] masks = new byte[2 * ItemSegment.Rows];
        ItemSegment[] segments = _segments;
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i].AddFirst(best, most, i * ItemSegment.Rows, order, filter, masks);
        }

        int[] rows = new int[best.Count];
        for (int i = rows.Length - 1; i >= 0; i--)
        {
            rows[i] = best.Dequeue();
        }

        return rows;
    }

    /// <summary>Offers every item that a filter admits.</summary>
    public void Offer(ref BestRows best, in PreparedQuery query, RowFilter? filter, in SearchScratch scratch)
    {
        ItemSegment[] segments = _segments;
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i].Offer(ref best, i * ItemSegment.Rows, in query, filter, in scratch);
        }
    }

    public bool TryOrder(int row, ItemOrder order, RowFilter? filter, out Neighbour item) =>
        Segment(row).TryOrder(row % ItemSegment.Rows, order, filter, out item);

    public bool TryScore(int row, in PreparedQuery query, RowFilter? filter, out Neighbour item) =>
        Segment(row).TryScore(row % ItemSegment.Rows, in query, filter, out item);

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
            _segments = [.. _segments, new ItemSegment(Element, _widths, Schema)];
        }

        return _used++;
    }
}
