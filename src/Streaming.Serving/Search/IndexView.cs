using System.Buffers;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;
using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>
/// The items of one generation. Use one view for an answer that needs several calls: it keeps its generation when the index moves on,
/// while individual items in it stay up to date. Thread-safe.
/// </summary>
public sealed class IndexView
{
    private const int LeastNarrow = 32;

    private readonly VectorTable _table;

    internal IndexView(uint generation, IReadOnlyList<int> widths, VectorTable table)
    {
        Generation = generation;
        Widths = widths;
        _table = table;
        Narrow = widths.FirstOrDefault(static width => width >= LeastNarrow, widths[^1]);
    }

    /// <summary>Gets the generation, 0 before the first load.</summary>
    public uint Generation { get; }

    /// <summary>Gets the nested widths, increasing; the last is the widest searchable.</summary>
    public IReadOnlyList<int> Widths { get; }

    /// <summary>Gets the widest width.</summary>
    public int Width => Widths[^1];

    /// <summary>Gets the default width of a funnel's first pass: the narrowest nested width of at least 32.</summary>
    public int Narrow { get; }

    /// <summary>Gets the number of items.</summary>
    public int Count => _table.Count;

    /// <summary>Gets the size in bytes of vectors, norms and stamps, without the texts of ids.</summary>
    public long Bytes => _table.Bytes;

    internal VectorTable Table => _table;

    /// <summary>Gets the attributes that items can be filtered by.</summary>
    public IReadOnlyList<AttributeDefinition> Attributes => _table.Schema.Fields;

    /// <summary>Finds the items with the highest scores for a query, of those that the filter admits: nearly all of them where the index
    /// has a graph that can answer (<see cref="ApproximateOptions"/>), all of them otherwise. Without a filter it allocates nothing, with
    /// one a few objects per condition.</summary>
    /// <param name="query">The user's (or an item's) vector, at least as long as the width.</param>
    /// <param name="options">Width, cosine, shortlist, filter.</param>
    /// <param name="best">Receives the items, best first, with scores at the requested width: the inner product with the query, or the
    /// cosine times the query's norm.</param>
    /// <returns>The number of items found: fewer than requested if there are no more, or some were removed concurrently.</returns>
    /// <exception cref="ArgumentException">A width is out of range, or the query has a number that is not finite.</exception>
    /// <exception cref="ItemFilterException">The filter names a field that does not exist, or does not fit its kind.</exception>
    public int Search(ReadOnlySpan<float> query, in SearchOptions options, Span<Neighbour> best)
    {
        bool funnel = options.Shortlist > 0;
        int narrow =
            !funnel ? options.Width
            : options.Narrow > 0 ? options.Narrow
            : Math.Min(Narrow, options.Width);
        ArgumentOutOfRangeException.ThrowIfLessThan(narrow, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(narrow, options.Width, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Width, Math.Min(Width, query.Length), nameof(options));
        if (best.IsEmpty)
        {
            return 0;
        }

        var filter = RowFilter.Of(options.Filter, options.Boosts, _table.Schema, options.Without);
        if (
            options is { Cosine: true, Exact: false, Shortlist: 0, Boosts: null or { Count: 0 } }
            && options.Width == Width
            && _table.Graph?.Search(query, filter, best) is >= 0 and var found
        )
        {
            return found;
        }

        int most = funnel ? Math.Max(options.Shortlist, best.Length) : best.Length;
        int padded = PackedRows.Padded(options.Width);
        float[] floats = ArrayPool<float>.Shared.Rent(most + padded + (2 * ItemSegment.Rows));
        byte[] masks = ArrayPool<byte>.Shared.Rent(filter is null ? 0 : 2 * ItemSegment.Rows);
        ulong[] order = ArrayPool<ulong>.Shared.Rent(most);
        int[] rows = ArrayPool<int>.Shared.Rent(most);
        try
        {
            Span<float> numbers = floats.AsSpan(most, padded);
            SearchScratch scratch = Scratch(floats.AsSpan(most + padded), masks);
            BestRows kept = new(rows.AsSpan(0, most), floats.AsSpan(0, most));
            var pass = new PreparedQuery(query, narrow, options.Cosine, _table.Element, numbers);
            _table.Offer(ref kept, in pass, filter, in scratch);
            var ranking = new PreparedQuery(query, options.Width, options.Cosine, _table.Element, numbers);
            return Rank(
                rows.AsSpan(0, kept.Count),
                floats.AsSpan(0, kept.Count),
                order.AsSpan(0, kept.Count),
                in ranking,
                filter,
                narrow < options.Width,
                best
            );
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
            ArrayPool<ulong>.Shared.Return(order);
            ArrayPool<int>.Shared.Return(rows);
            ArrayPool<byte>.Shared.Return(masks);
        }
    }

    /// <summary>Finds the items with the highest scores for a query so that no value of an attribute has more than its limit.</summary>
    /// <param name="query">The user's (or an item's) vector, at least as long as the width.</param>
    /// <param name="options">Width, cosine, shortlist, filter.</param>
    /// <param name="rule">The attribute and the limit.</param>
    /// <param name="count">The most items, 1 and up.</param>
    /// <param name="exclude">Items to leave out; null: none.</param>
    /// <returns>The items, best first: what going down the ranking of all items that the filter admits gives.</returns>
    /// <exception cref="ItemFilterException">The filter or the rule does not fit the attributes.</exception>
    public IReadOnlyList<Neighbour> SearchDiverse(
        ReadOnlyMemory<float> query,
        SearchOptions options,
        ItemDiversity rule,
        int count,
        IReadOnlySet<string>? exclude = null
    )
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new DiverseRanking(this, rule).Search(
            count,
            (full, most) =>
            {
                var best = new Neighbour[most + (exclude?.Count ?? 0)];
                int found = Search(query.Span, options with { Without = full }, best);
                return exclude is null ? best[..found] : [.. best.Take(found).Where(item => !exclude.Contains(item.Id)).Take(most)];
            }
        );
    }

    /// <summary>Enumerates the ids of items, in no particular order; those added or removed meanwhile may be among them.</summary>
    /// <param name="start">Where to begin, 0 … 1 of the table; the rest follows around. A random place gives a sample.</param>
    /// <param name="filter">Which items; null: all.</param>
    /// <exception cref="ItemFilterException">The filter does not fit the fields.</exception>
    public IEnumerable<string> Ids(double start = 0, ItemFilter? filter = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, 1);
        return _table.Ids(start, Prepare(filter));
    }

    /// <summary>Copies an item's vector.</summary>
    /// <param name="key">Hash of its id (<see cref="RedisKeys.Hash"/>).</param>
    /// <param name="vector">Receives a prefix of it: at most <see cref="Width"/> numbers.</param>
    /// <param name="id">The item.</param>
    /// <param name="step">Training step after which it was encoded.</param>
    /// <returns>False when the item is absent.</returns>
    public bool TryRead(ulong key, Span<float> vector, out string id, out long step)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vector.Length, Width, nameof(vector));
        return _table.TryRead(key, vector, out id, out step);
    }

    /// <summary>Copies the vectors of items, in the order of the keys and concatenated; skips absent items.</summary>
    /// <param name="keys">Hashes of the items' ids (<see cref="RedisKeys.Hash"/>).</param>
    /// <param name="width">The number of values per item, 1 … <see cref="Width"/>.</param>
    /// <param name="vectors">Receives the vectors: room for all keys.</param>
    /// <param name="ids">Receives the ids.</param>
    public void Read(ReadOnlySpan<ulong> keys, int width, Span<float> vectors, ICollection<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        int found = 0;
        foreach (ulong key in keys)
        {
            if (TryRead(key, vectors.Slice(found * width, width), out string id, out _))
            {
                ids.Add(id);
                found++;
            }
        }
    }

    /// <summary>Gets the number of an item's events that the model was trained on, where attributes are published; 0: a cold item, or an
    /// unknown one.</summary>
    /// <param name="key">Hash of its id (<see cref="RedisKeys.Hash"/>).</param>
    public long EventsOf(ulong key) => _table.FactsOf(key).Events;

    /// <summary>Gets whether the model was trained on no event of an item, so that its vector is that of its features. False where no
    /// attributes are published, or for an unknown item.</summary>
    /// <param name="key">Hash of its id (<see cref="RedisKeys.Hash"/>).</param>
    public bool IsCold(ulong key) => _table.Schema.Fields.Count > 0 && _table.FactsOf(key) is { Since: > 0, Events: 0 };

    /// <summary>Counts the items that have a value of an attribute.</summary>
    /// <exception cref="ItemFilterException">There is no such attribute.</exception>
    public int ItemsWith(string field) => _table.CountWith(_table.Schema.IndexOf(field));

    /// <summary>Lists the commonest values of an attribute of texts, or of true and false. Reads the attribute of every item.</summary>
    /// <param name="field">The attribute.</param>
    /// <param name="most">The most values.</param>
    /// <returns>The values with the most items first; none for an attribute of numbers.</returns>
    /// <exception cref="ItemFilterException">There is no such attribute.</exception>
    public IReadOnlyList<AttributeValue> CommonValues(string field, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        int index = _table.Schema.IndexOf(field);
        ValueCodes codes = _table.Schema.CodesOf(index);
        return
        [
            .. _table
                .CountCodes(index)
                .Select((items, code) => (items, code))
                .Where(static value => value.items > 0)
                .OrderByDescending(static value => value.items)
                .Take(most)
                .Select(value => new AttributeValue(codes.TextOf(value.code), value.items)),
        ];
    }

    /// <summary>Gets the least and the greatest number of an attribute. Reads the attribute of every item.</summary>
    /// <returns>Null for an attribute of another kind, and when no item has a value.</returns>
    /// <exception cref="ItemFilterException">There is no such attribute.</exception>
    public (double Least, double Greatest)? RangeOf(string field)
    {
        int index = _table.Schema.IndexOf(field);
        return Attributes[index].Kind == AttributeKind.Number && _table.RangeOf(index) is { Least: < double.PositiveInfinity } range
            ? range
            : null;
    }

    /// <summary>Lists the items that had the most events since they are known, where attributes are published.</summary>
    /// <param name="filter">Which items; null: all.</param>
    /// <param name="best">Receives the items, the most popular first; the score is the number of events.</param>
    /// <returns>The number of items found; items without an event are left out.</returns>
    /// <exception cref="ItemFilterException">The filter does not fit the fields, or no facts are published.</exception>
    public int Popular(ItemFilter? filter, Span<Neighbour> best) => List(ItemOrder.Popular, filter, best);

    /// <summary>Lists the items that are the most popular of late, where attributes are published: by their events, each of which counts
    /// half after the trainer's half-life (<c>STREAMING__Training__Items__PopularityHalfLife</c>).</summary>
    /// <param name="filter">Which items; null: all.</param>
    /// <param name="best">Receives the items, the most popular first; the score is <see cref="ItemFacts.Popularity"/> as exact as the type
    /// is.</param>
    /// <returns>The number of items found; items without an event are left out, and so are those whose facts an older trainer
    /// wrote.</returns>
    /// <exception cref="ItemFilterException">The filter does not fit the fields, or no facts are published.</exception>
    public int PopularOfLate(ItemFilter? filter, Span<Neighbour> best) => List(ItemOrder.Recent, filter, best);

    /// <summary>Lists the items that became known last, where attributes are published.</summary>
    /// <param name="filter">Which items; null: all.</param>
    /// <param name="best">Receives the items, the latest first; the score is the time, Unix milliseconds as exact as the type is.</param>
    /// <returns>The number of items found.</returns>
    /// <exception cref="ItemFilterException">The filter does not fit the fields, or no facts are published.</exception>
    public int Latest(ItemFilter? filter, Span<Neighbour> best) => List(ItemOrder.Latest, filter, best);

    /// <summary>Prepares a filter for <see cref="Admits"/>; null when it admits every item.</summary>
    internal RowFilter? Prepare(ItemFilter? filter, IReadOnlyList<ItemBoost>? boosts = null) => RowFilter.Of(filter, boosts, _table.Schema);

    /// <summary>Whether an item is there and admitted.</summary>
    internal bool Admits(ulong key, RowFilter filter) => _table.Admits(key, filter);

    /// <summary>A score of an item with its boosts.</summary>
    internal float Boosted(ulong key, RowFilter boosts, float score) => _table.Boosted(key, boosts, score);

    /// <summary>Copies the texts of an item's field, as codes.</summary>
    internal void ReadCodes(ulong key, int field, ICollection<int> codes) => _table.ReadCodes(key, field, codes);

    private static SearchScratch Scratch(Span<float> floats, Span<byte> masks) =>
        new()
        {
            Scores = floats[..ItemSegment.Rows],
            Factors = floats.Slice(ItemSegment.Rows, ItemSegment.Rows),
            Mask = masks.IsEmpty ? [] : masks[..ItemSegment.Rows],
            Other = masks.IsEmpty ? [] : masks.Slice(ItemSegment.Rows, ItemSegment.Rows),
        };

    private int List(ItemOrder order, ItemFilter? filter, Span<Neighbour> best)
    {
        if (_table.Schema.Fields.Count == 0)
        {
            throw new ItemFilterException(
                "there are no popular or latest items: the trainer publishes no facts of items (STREAMING__Items__Attributes)"
            );
        }

        if (best.IsEmpty)
        {
            return 0;
        }

        RowFilter? rows = Prepare(filter);
        int count = 0;
        foreach (int row in _table.First(best.Length, order, rows))
        {
            if (_table.TryOrder(row, order, rows, out Neighbour item))
            {
                best[count++] = item;
            }
        }

        return count;
    }

    /// <summary>Sorts by score, highest first; ties by row.</summary>
    internal static ulong Order(float score, int row)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f); // −0 is 0
        uint rising = (bits & 0x8000_0000) == 0 ? bits | 0x8000_0000 : ~bits;
        return ((ulong)~rising << 32) | (uint)row;
    }

    /// <summary>Sorts the rows and resolves their items. A row's item may have changed since the pass, so its id is read together with
    /// its score.</summary>
    private int Rank(
        ReadOnlySpan<int> rows,
        ReadOnlySpan<float> scores,
        Span<ulong> order,
        in PreparedQuery query,
        RowFilter? filter,
        bool wider,
        Span<Neighbour> best
    )
    {
        for (int i = 0; i < rows.Length; i++)
        {
            float score =
                !wider ? scores[i]
                : _table.TryScore(rows[i], in query, filter, out Neighbour item) ? item.Score
                : float.NegativeInfinity;
            order[i] = Order(score, rows[i]);
        }

        order.Sort();
        int found = 0;
        foreach (ulong next in order)
        {
            if (found < best.Length && _table.TryScore((int)(uint)next, in query, filter, out Neighbour item))
            {
                best[found++] = item;
            }
        }

        return found;
    }
}
