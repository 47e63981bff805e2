using System.Buffers;
using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;

namespace Streaming.Serving.Search;

/// <summary>
/// The items of one generation. Whoever asks more than once for one answer does it through one view: it stays of its generation when
/// the index moves on, while single items in it are kept up to date. Safe for any number of callers at a time.
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

    /// <summary>Gets the nested widths, rising; the last is the widest that can be searched.</summary>
    public IReadOnlyList<int> Widths { get; }

    /// <summary>Gets the widest width.</summary>
    public int Width => Widths[^1];

    /// <summary>Gets the width of a funnel's first pass where a search does not say: the narrowest nested width of 32 or more.</summary>
    public int Narrow { get; }

    /// <summary>Gets the number of items.</summary>
    public int Count => _table.Count;

    /// <summary>Gets the bytes of memory that vectors, their lengths and stamps take; the texts of ids come on top.</summary>
    public long Bytes => _table.Bytes;

    internal VectorTable Table => _table;

    /// <summary>Finds the items that score highest with a query. Allocates nothing.</summary>
    /// <param name="query">The user's (or an item's) vector, at least as long as the width.</param>
    /// <param name="options">Width, cosine, shortlist.</param>
    /// <param name="best">Receives the items, best first, with scores at the width asked for: the inner product with the query, or the
    /// cosine times the query's length.</param>
    /// <returns>How many were found: fewer than asked for when there are no more, or when some were removed meanwhile.</returns>
    /// <exception cref="ArgumentException">A width is out of range, or the query holds a number that is not finite.</exception>
    public int Search(ReadOnlySpan<float> query, in SearchOptions options, Span<Neighbour> best)
    {
        bool funnel = options.Shortlist > 0;
        int narrow = !funnel ? options.Width : options.Narrow > 0 ? options.Narrow : Math.Min(Narrow, options.Width);
        ArgumentOutOfRangeException.ThrowIfLessThan(narrow, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(narrow, options.Width, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Width, Math.Min(Width, query.Length), nameof(options));
        if (best.IsEmpty)
        {
            return 0;
        }

        int most = funnel ? Math.Max(options.Shortlist, best.Length) : best.Length;
        int padded = PackedRows.Padded(options.Width);
        float[] floats = ArrayPool<float>.Shared.Rent(most + padded + (2 * ItemSegment.Rows));
        ulong[] order = ArrayPool<ulong>.Shared.Rent(most);
        int[] rows = ArrayPool<int>.Shared.Rent(most);
        try
        {
            Span<float> numbers = floats.AsSpan(most, padded), scratch = floats.AsSpan(most + padded);
            BestRows kept = new(rows.AsSpan(0, most), floats.AsSpan(0, most));
            var pass = new PreparedQuery(query, narrow, options.Cosine, _table.Element, numbers);
            _table.Offer(ref kept, in pass, scratch[..ItemSegment.Rows], scratch[ItemSegment.Rows..]);
            var ranking = new PreparedQuery(query, options.Width, options.Cosine, _table.Element, numbers);
            return Rank(rows.AsSpan(0, kept.Count), floats.AsSpan(0, kept.Count), order.AsSpan(0, kept.Count), in ranking, narrow < options.Width, best);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
            ArrayPool<ulong>.Shared.Return(order);
            ArrayPool<int>.Shared.Return(rows);
        }
    }

    /// <summary>Copies an item's vector.</summary>
    /// <param name="key">Hash of its id (<see cref="RedisKeys.Hash"/>).</param>
    /// <param name="vector">Receives its first numbers: at most as many as <see cref="Width"/>.</param>
    /// <param name="id">The item.</param>
    /// <param name="step">Training step after which it was encoded.</param>
    /// <returns>False when the item is not there.</returns>
    public bool TryRead(ulong key, Span<float> vector, out string id, out long step)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vector.Length, Width, nameof(vector));
        return _table.TryRead(key, vector, out id, out step);
    }

    /// <summary>Copies the vectors of items, in the order of the keys and end to end; those that are not there are left out.</summary>
    /// <param name="keys">Hashes of the items' ids (<see cref="RedisKeys.Hash"/>).</param>
    /// <param name="width">How many numbers of each, 1 … <see cref="Width"/>.</param>
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

    /// <summary>Sorts by score, highest first; equal ones by row.</summary>
    private static ulong Order(float score, int row)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f); // −0 is 0
        uint rising = (bits & 0x8000_0000) == 0 ? bits | 0x8000_0000 : ~bits;
        return ((ulong)~rising << 32) | (uint)row;
    }

    /// <summary>Puts the rows in order and says which items they are. A row's item may have changed since the pass, so its id is taken
    /// together with its score.</summary>
    private int Rank(ReadOnlySpan<int> rows, ReadOnlySpan<float> scores, Span<ulong> order, in PreparedQuery query, bool wider, Span<Neighbour> best)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            float score = !wider ? scores[i] : _table.TryScore(rows[i], in query, out Neighbour item) ? item.Score : float.NegativeInfinity;
            order[i] = Order(score, rows[i]);
        }

        order.Sort();
        int found = 0;
        foreach (ulong next in order)
        {
            if (found < best.Length && _table.TryScore((int)(uint)next, in query, out Neighbour item))
            {
                best[found++] = item;
            }
        }

        return found;
    }
}
