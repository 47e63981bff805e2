using System.Buffers;
using System.Numerics.Tensors;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;
using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>
/// A graph of a table's rows as they were when it was built, and the items that changed since, packed to be searched exactly. Candidates of
/// both are ranked by the table's current vectors.
/// </summary>
/// <remarks>One writer at a time, any number of searches. The memory of the graph is that of a library: it is released when its owner and
/// all searches have.</remarks>
internal sealed class ItemGraph : IDisposable
{
    /// <summary>The most candidates of a search; one that wants more is exact, which is then about as fast.</summary>
    private const int MostCandidates = 2048;

    /// <summary>The graph's best candidates, per item wanted, that are ranked again where no filter drops some: few have moved, and by
    /// little.</summary>
    private const int RankedFactor = 2;

    /// <summary>The least share of the items that a filter admits for the graph to be faster than the exact search (measured:
    /// Streaming.Benchmarks --approximate).</summary>
    private const double LeastShare = 0.07;

    /// <summary>Items that a filter's share is estimated from.</summary>
    private const int Sample = 256;

    private readonly VectorTable _table;
    private readonly VectorGraph _graph;
    private readonly VectorTable _changed;
    private readonly int _candidates;
    private readonly double _maxDistance;
    private readonly float[] _unit;
    private readonly float[] _kept;
    private int _holders = 1;
    private int _removed;

    /// <param name="table">The items.</param>
    /// <param name="graph">A graph of their rows, owned from now on.</param>
    /// <param name="vectors">Number of vectors in it.</param>
    /// <param name="options">Candidates, and how far a vector may move.</param>
    public ItemGraph(VectorTable table, VectorGraph graph, int vectors, ApproximateOptions options)
    {
        _table = table;
        _graph = graph;
        _changed = new VectorTable([table.Width], table.Element);
        (_candidates, _maxDistance) = (options.Candidates, options.MaxMove * options.MaxMove);
        (_unit, _kept) = (new float[table.Width], new float[table.Width]);
        (Vectors, GraphBytes) = (vectors, graph.Bytes);
    }

    /// <summary>Gets the number of vectors in the graph.</summary>
    public int Vectors { get; }

    /// <summary>Gets the number of items that are searched exactly.</summary>
    public int Changed => _changed.Count;

    /// <summary>Gets the number of items removed since the build.</summary>
    public int Removed => Volatile.Read(ref _removed);

    /// <summary>Gets the size of the graph and of what changed, in bytes.</summary>
    public long Bytes => GraphBytes + _changed.Bytes;

    private long GraphBytes { get; }

    /// <summary>Scales a vector to length 1; one of length 0 remains.</summary>
    public static void Normalize(ReadOnlySpan<float> vector, Span<float> unit)
    {
        float length = TensorPrimitives.Norm(vector);
        TensorPrimitives.Multiply(vector, length > 0 ? 1 / length : 0, unit);
    }

    /// <summary>Takes note of a row's new vector. Writer only.</summary>
    public void Note(int row, string id, ReadOnlySpan<float> vector)
    {
        Normalize(vector, _unit);
        if (_graph.TryRead(row, _kept) && TensorPrimitives.Distance(_unit, _kept) is var moved && moved * moved <= _maxDistance)
        {
            _changed.Remove(id);
        }
        else
        {
            _changed.Set(id, vector, default);
        }
    }

    /// <summary>Takes note of an item that was removed. Writer only.</summary>
    public void Forget(string id)
    {
        _changed.Remove(id);
        Volatile.Write(ref _removed, _removed + 1);
    }

    /// <summary>Keeps the graph in memory until <see cref="Release"/>.</summary>
    /// <returns>False when it has been released already.</returns>
    public bool TryHold()
    {
        for (int holders = Volatile.Read(ref _holders); holders > 0; holders = Volatile.Read(ref _holders))
        {
            if (Interlocked.CompareExchange(ref _holders, holders + 1, holders) == holders)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends a hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _graph.Dispose();
            _changed.Dispose();
        }
    }

    /// <summary>Ends the ownership. Once.</summary>
    public void Dispose() => Release();

    /// <summary>Finds the items with the highest cosines, nearly all of them, of those that the filter admits.</summary>
    /// <param name="query">The query, at least as long as the table's rows.</param>
    /// <param name="filter">The filter, without boosts; null: all items.</param>
    /// <param name="best">Receives the items, best first.</param>
    /// <returns>The number of items found, as many as asked for; −1: the search has to be exact.</returns>
    public int Search(ReadOnlySpan<float> query, RowFilter? filter, Span<Neighbour> best)
    {
        int wanted = filter is null ? best.Length : Wanted(filter, best.Length);
        return wanted is < 0 or > MostCandidates ? -1 : Search(query, filter, Math.Max(wanted, _candidates), best);
    }

    private int Search(ReadOnlySpan<float> query, RowFilter? filter, int wanted, Span<Neighbour> best)
    {
        int width = _table.Width,
            padded = PackedRows.Padded(width);
        float[] floats = ArrayPool<float>.Shared.Rent(width + padded + wanted + (2 * ItemSegment.Rows));
        int[] rows = ArrayPool<int>.Shared.Rent(2 * wanted);
        ulong[] order = ArrayPool<ulong>.Shared.Rent(2 * wanted);
        try
        {
            Span<float> unit = floats.AsSpan(0, width);
            Normalize(query[..width], unit);
            int found = _graph.Search(unit, rows.AsSpan(0, wanted));
            found = filter is null ? Math.Min(found, RankedFactor * best.Length) : found;
            var ranking = new PreparedQuery(query, width, cosine: true, _table.Element, floats.AsSpan(width, padded));
            int changed = filter is null ? best.Length : wanted;
            found += FindChanged(in ranking, rows.AsSpan(found), floats.AsSpan(width + padded), changed);
            return Rank(rows.AsSpan(0, found), order, in ranking, filter, wanted, best);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
            ArrayPool<int>.Shared.Return(rows);
            ArrayPool<ulong>.Shared.Return(order);
        }
    }

    /// <summary>The candidates among which a filter probably admits twice as many items as are wanted; −1: it admits few of all, and an
    /// exact search reads no others.</summary>
    private int Wanted(RowFilter filter, int items)
    {
        int admitted = 0;
        for (int i = 0; i < Sample; i++)
        {
            // Multiples of the golden ratio: rows all over the table, in step with no period that attributes may have.
            int row = (int)((unchecked((uint)i * 2_654_435_769) * (ulong)_table.Used) >> 32);
            admitted += _table.Admits(row, filter) ? 1 : 0;
        }

        double share = (double)admitted / Sample;
        return share < LeastShare ? -1 : (int)(2 * items / share);
    }

    /// <summary>The table's rows of the best items among those that changed.</summary>
    private int FindChanged(in PreparedQuery query, Span<int> rows, Span<float> floats, int wanted)
    {
        if (_changed.Count == 0)
        {
            return 0;
        }

        BestRows kept = new(rows[..wanted], floats[..wanted]);
        SearchScratch scratch = new()
        {
            Scores = floats.Slice(wanted, ItemSegment.Rows),
            Factors = floats.Slice(wanted + ItemSegment.Rows, ItemSegment.Rows),
        };
        _changed.Offer(ref kept, in query, filter: null, in scratch);
        int count = 0;
        foreach (int changed in rows[..kept.Count])
        {
            if (_changed.TryScore(changed, in query, filter: null, out Neighbour item) && _table.TryFind(item.Id, out int row))
            {
                rows[count++] = row;
            }
        }

        return count;
    }

    /// <summary>Ranks candidates by their current vectors. Those past the number wanted are not known to be better than rows that are no
    /// candidates, so a filter may not reach them.</summary>
    private int Rank(Span<int> rows, Span<ulong> order, in PreparedQuery query, RowFilter? filter, int wanted, Span<Neighbour> best)
    {
        rows.Sort(); // an item may be in the graph and changed
        int ranked = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            if ((i == 0 || rows[i] != rows[i - 1]) && _table.TryScore(rows[i], in query, filter: null, out Neighbour item))
            {
                order[ranked++] = IndexView.Order(item.Score, rows[i]);
            }
        }

        order[..ranked].Sort();
        int found = 0;
        for (int i = 0; i < Math.Min(ranked, wanted) && found < best.Length; i++)
        {
            if (_table.TryScore((int)(uint)order[i], in query, filter, out Neighbour item))
            {
                best[found++] = item;
            }
        }

        return found == best.Length ? found : -1;
    }
}
