using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;
using Streaming.Kernels.Simd;
using Streaming.Serving.Changes;
using Streaming.Serving.Filters;

namespace Streaming.Serving.Search;

/// <summary>
/// A few thousand items with their own lock: a writer waits only for searches currently in this segment, not for whole searches, and
/// a table grows without copying.
/// </summary>
internal sealed class ItemSegment : IDisposable
{
    public const int Rows = 4096;

    // A row by itself costs several times as much as one of a pass over all, the more so the narrower the pass: up to a tenth of the
    // rows are scored by themselves at width 128, a fortieth at 32 (measured: Streaming.Benchmarks --filters).
    private const int FewFactor = 1280;

    // The most rows of a segment that are tested one by one, which costs less than testing whole columns.
    private const int MaxTests = 128;

    private readonly ReaderWriterLockSlim _lock = new();
    private readonly AlignedFloats _values;
    private readonly RowElement _element;
    private readonly int[] _widths;
    private readonly float[] _norms;
    private readonly float[] _scales = new float[Rows];
    private readonly byte[] _present = new byte[Rows];
    private readonly string[] _ids = new string[Rows];
    private readonly uint[] _tokens = new uint[Rows];
    private readonly long[] _steps = new long[Rows];
    private readonly uint[] _checks = new uint[Rows];
    private readonly AttributeColumns? _columns;
    private readonly long _bytes;
    private int _used;

    /// <param name="element">Element type of the rows.</param>
    /// <param name="widths">The nested widths, whose prefix norms are stored; the last is the rows' width.</param>
    /// <param name="schema">The attributes of the items.</param>
    public ItemSegment(RowElement element, int[] widths, AttributeSchema schema)
    {
        _columns = schema.Fields.Count > 0 ? new AttributeColumns(schema, Rows) : null;
        _element = element;
        _widths = widths;
        _values = new AlignedFloats(PackedRows.Bytes(element, Rows, widths[^1]) / sizeof(float));
        _norms = new float[widths.Length * Rows];
        _bytes = BytesOf(element, widths);
    }

    /// <summary>Gets its size in bytes, without the texts of ids.</summary>
    public long Bytes => _bytes + (_columns?.Bytes ?? 0);

    /// <summary>The size of a segment in bytes, without attributes and the texts of ids.</summary>
    public static long BytesOf(RowElement element, IReadOnlyList<int> widths) =>
        PackedRows.Bytes(element, Rows, widths[^1])
        + ((long)Rows * widths.Count * sizeof(float))
        + (Rows * (sizeof(float) + sizeof(byte) + IntPtr.Size + (2 * sizeof(uint)) + sizeof(long)));

    private PackedRows Packed =>
        new()
        {
            Values = MemoryMarshal.AsBytes(_values.Span),
            Element = _element,
            Capacity = Rows,
        };

    /// <summary>Scores the items that a filter admits, and offers them.</summary>
    /// <param name="best">Receives the rows, counted from <paramref name="first"/>.</param>
    /// <param name="first">Number of this segment's first row.</param>
    /// <param name="query">The prepared query.</param>
    /// <param name="filter">The filter; null: all items.</param>
    /// <param name="scratch">Room.</param>
    public void Offer(ref BestRows best, int first, in PreparedQuery query, RowFilter? filter, in SearchScratch scratch)
    {
        _lock.EnterReadLock();
        try
        {
            if (filter is null)
            {
                Span<float> all = scratch.Scores[.._used];
                Score(0, in query, all, scratch.Factors[.._used]);
                best.Offer(first, all, _present.AsSpan(0, _used));
            }
            else
            {
                OfferAdmitted(ref best, first, in query, filter, in scratch);
            }
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Adds the first items of an order that a filter admits.</summary>
    /// <param name="best">Receives the rows, counted from <paramref name="first"/>, the last of the order on top.</param>
    /// <param name="most">The most rows.</param>
    /// <param name="first">Number of this segment's first row.</param>
    /// <param name="order">The order.</param>
    /// <param name="filter">The filter; null: all items.</param>
    /// <param name="masks">Room for two masks.</param>
    public void AddFirst(
        PriorityQueue<int, (long Value, int Row)> best,
        int most,
        int first,
        ItemOrder order,
        RowFilter? filter,
        Span<byte> masks
    )
    {
        _lock.EnterReadLock();
        try
        {
            Span<byte> mask = masks[.._used];
            Admit(filter, mask, masks.Slice(Rows, _used));
            for (int row = 0; row < _used; row++)
            {
                // Of equal ones the lower row is first.
                (long Value, int Row) place = (mask[row] == 0 ? 0 : _columns!.OrderOf(order, row), -(first + row));
                if (place.Value > 0 && best.Count < most)
                {
                    best.Enqueue(first + row, place);
                }
                else if (place.Value > 0)
                {
                    best.EnqueueDequeue(first + row, place);
                }
            }
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>What an order sorts one item by, and its id.</summary>
    /// <returns>False when the row has no item (any more) that the filter admits.</returns>
    public bool TryOrder(int row, ItemOrder order, RowFilter? filter, out Neighbour item)
    {
        _lock.EnterReadLock();
        try
        {
            long value = _columns!.OrderOf(order, row);
            item = new Neighbour(_ids[row], value);
            return _present[row] != 0 && value > 0 && filter?.Admits(_columns, row) != false;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Whether a row still has an item that a filter admits.</summary>
    public bool Admits(int row, ulong key, RowFilter filter)
    {
        _lock.EnterReadLock();
        try
        {
            return IsOf(row, key) && filter.Admits(_columns!, row);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Whether a row has an item that a filter admits.</summary>
    public bool Admits(int row, RowFilter filter)
    {
        _lock.EnterReadLock();
        try
        {
            return _present[row] != 0 && filter.Admits(_columns!, row);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>A score of an item with its boosts.</summary>
    public float Boosted(int row, ulong key, RowFilter boosts, float score)
    {
        _lock.EnterReadLock();
        try
        {
            return IsOf(row, key) ? boosts.Boosted(_columns!, row, score) : score;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>The number of items that have a value of a field.</summary>
    public int CountWith(int field)
    {
        _lock.EnterReadLock();
        try
        {
            int count = 0;
            for (int row = 0; row < _used; row++)
            {
                count += _present[row] != 0 && _columns!.Has(field, row) ? 1 : 0;
            }

            return count;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Adds the number of items with each text of a field.</summary>
    /// <param name="field">A field of texts.</param>
    /// <param name="counts">By code; those beyond it are of texts that came meanwhile.</param>
    public void CountCodes(int field, Span<int> counts)
    {
        _lock.EnterReadLock();
        try
        {
            foreach (int[] column in _columns!.CodesOf(field))
            {
                for (int row = 0; row < _used; row++)
                {
                    int code = _present[row] != 0 ? column[row] : 0;
                    if (code > 0 && code < counts.Length)
                    {
                        counts[code]++;
                    }
                }
            }
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Widens a range by the numbers of a field.</summary>
    public void Widen(int field, ref double least, ref double greatest)
    {
        _lock.EnterReadLock();
        try
        {
            ReadOnlySpan<double> numbers = _columns!.NumbersOf(field);
            for (int row = 0; row < _used; row++)
            {
                if (_present[row] != 0 && !double.IsNaN(numbers[row]))
                {
                    (least, greatest) = (Math.Min(least, numbers[row]), Math.Max(greatest, numbers[row]));
                }
            }
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Copies the texts of an item's field, as codes.</summary>
    public void ReadCodes(int row, ulong key, int field, ICollection<int> codes)
    {
        _lock.EnterReadLock();
        try
        {
            foreach (int[] column in IsOf(row, key) ? _columns!.CodesOf(field) : [])
            {
                if (column[row] > 0)
                {
                    codes.Add(column[row]);
                }
            }
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>What is known of an item besides vector and attributes; nothing when the row has another item.</summary>
    public ItemFacts FactsOf(int row, ulong key)
    {
        _lock.EnterReadLock();
        try
        {
            return _columns is { } columns && IsOf(row, key) ? new ItemFacts(null, columns.Events[row], columns.Since[row]) : default;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>The score of one item, and its id.</summary>
    /// <returns>False when the row has no item (any more) that the filter admits.</returns>
    public bool TryScore(int row, in PreparedQuery query, RowFilter? filter, out Neighbour item)
    {
        Span<float> score = stackalloc float[1],
            factor = stackalloc float[1];
        _lock.EnterReadLock();
        try
        {
            item = default;
            if (_present[row] == 0 || filter?.Admits(_columns!, row) == false)
            {
                return false;
            }

            Score(row, in query, score, factor);
            item = new Neighbour(_ids[row], (filter?.Boosted(_columns!, row, score[0]) ?? score[0]) * query.Factor);
            return true;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Copies a prefix of an item's vector.</summary>
    /// <returns>False when the row has another item, or none.</returns>
    public bool TryRead(int row, ulong key, Span<float> vector, out string id, out long step)
    {
        _lock.EnterReadLock();
        try
        {
            (id, step) = (_ids[row], _steps[row]);
            if (!IsOf(row, key))
            {
                return false;
            }

            Packed.Read(row, _scales[row], vector);
            return true;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Copies a row's vector, and its item's id.</summary>
    /// <returns>False when the row has no item.</returns>
    public bool TryRead(int row, Span<float> vector, out string id)
    {
        _lock.EnterReadLock();
        try
        {
            id = _ids[row];
            if (_present[row] == 0)
            {
                return false;
            }

            Packed.Read(row, _scales[row], vector);
            return true;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Copies the ids of its items that a filter admits.</summary>
    /// <param name="ids">Room for <see cref="Rows"/> ids.</param>
    /// <param name="before">How many of them are of rows before <paramref name="row"/>.</param>
    /// <param name="row">A row.</param>
    /// <param name="filter">The filter; null: all items.</param>
    /// <param name="masks">Room for two masks of <see cref="Rows"/> rows.</param>
    /// <returns>The number of items.</returns>
    public int CopyIds(Span<string> ids, out int before, int row, RowFilter? filter, Span<byte> masks)
    {
        _lock.EnterReadLock();
        try
        {
            Span<byte> mask = masks[.._used];
            Admit(filter, mask, masks.Slice(Rows, _used));
            int count = before = 0;
            for (int at = 0; at < _used; at++)
            {
                if (mask[at] != 0)
                {
                    before += at < row ? 1 : 0;
                    ids[count++] = _ids[at];
                }
            }

            return count;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Writes an item.</summary>
    /// <param name="row">The row.</param>
    /// <param name="id">The item.</param>
    /// <param name="vector">Its vector.</param>
    /// <param name="stamp">Where the vector comes from.</param>
    /// <param name="attributes">Its attributes; null where the generation has none.</param>
    /// <param name="check">What the change feed told; null: nothing new.</param>
    public void Set(int row, string id, ReadOnlySpan<float> vector, in EmbeddingStamp stamp, AttributeRow? attributes, uint? check)
    {
        _lock.EnterWriteLock();
        try
        {
            _used = Math.Max(_used, row + 1);
            _scales[row] = Packed.Write(row, vector);
            for (int k = 0; k < _widths.Length; k++)
            {
                PackedSearch.InverseNorms(Packed, row, _widths[k], _norms.AsSpan((k * Rows) + row, 1));
            }

            if (attributes is not null)
            {
                _columns?.Set(row, attributes);
            }

            _checks[row] = check ?? _checks[row];
            (_ids[row], _tokens[row], _steps[row], _present[row]) = (id, stamp.Token, stamp.Step, 1);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>Clears a row.</summary>
    public void Remove(int row)
    {
        _lock.EnterWriteLock();
        try
        {
            (_ids[row], _present[row], _checks[row]) = (string.Empty, 0, 0);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>The item in a row, or null. Writer only.</summary>
    public string? IdAt(int row) => _present[row] == 0 ? null : _ids[row];

    /// <summary>Whether the row has an item's values of a change, or later ones. Writer only.</summary>
    public bool Has(int row, in FeedChange change) =>
        (_tokens[row], _steps[row]) == (change.Token, change.Step)
            ? change.Check == 0 || _checks[row] == change.Check
            : _tokens[row] > change.Token || (_tokens[row] == change.Token && _steps[row] > change.Step);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private bool IsOf(int row, ulong key) => _present[row] != 0 && RedisKeys.Hash(_ids[row]) == key;

    /// <summary>Masks the rows that have an item that a filter admits.</summary>
    private void Admit(RowFilter? filter, Span<byte> mask, Span<byte> other)
    {
        _present.AsSpan(0, _used).CopyTo(mask);
        filter?.Keep(_columns!, mask, other);
    }

    /// <summary>Scores all rows where the filter admits many, and tests those whose scores are high enough; where it admits few, tests all
    /// rows, and scores those that it admits one by one.</summary>
    private void OfferAdmitted(ref BestRows best, int first, in PreparedQuery query, RowFilter filter, in SearchScratch scratch)
    {
        if (filter is { AdmitsMany: true, HasBoosts: false })
        {
            Span<float> all = scratch.Scores[.._used];
            Score(0, in query, all, scratch.Factors[.._used]);
            OfferTested(ref best, first, all, Few(in query), filter, in scratch);
            return;
        }

        Span<byte> mask = scratch.Mask[.._used];
        Admit(filter, mask, scratch.Other[.._used]);
        Span<int> rows = MemoryMarshal.Cast<float, int>(scratch.Factors);
        int few = RowMasks.ListFew(mask, Few(in query), rows);
        filter.AdmitsMany = few < 0;
        Span<float> scores = scratch.Scores[..(few < 0 ? _used : few)];
        if (few < 0)
        {
            Score(0, in query, scores, scratch.Factors[.._used]);
            filter.Boost(_columns!, scores, scratch.Other[.._used]);
            best.Offer(first, scores, mask);
            return;
        }

        rows = rows[..few];
        PackedSearch.Dots(Packed, rows, query.Numbers, scores);
        Span<float> factor = stackalloc float[1];
        for (int i = 0; i < rows.Length; i++)
        {
            ReadOnlySpan<float> own = Factors(rows[i], in query, factor);
            float score = own.IsEmpty ? scores[i] : scores[i] * own[0];
            best.OfferOne(first + rows[i], filter.Boosted(_columns!, rows[i], score));
        }
    }

    /// <summary>Offers rows by their scores; only those that would be among the best are tested.</summary>
    private void OfferTested(ref BestRows best, int first, ReadOnlySpan<float> scores, int few, RowFilter filter, in SearchScratch scratch)
    {
        int tests = 0;
        for (int row = best.Next(scores, 0); row < scores.Length; row = best.Next(scores, row + 1))
        {
            if (++tests > MaxTests)
            {
                // The nearest items are those that it does not admit, or few are found yet: testing all rows is cheaper.
                Span<byte> mask = scratch.Mask[..scores.Length];
                Admit(filter, mask, scratch.Other[..scores.Length]);
                filter.AdmitsMany = mask.Length - mask.Count((byte)0) > few;
                best.Offer(first + row, scores[row..], mask[row..]);
                return;
            }

            if (_present[row] != 0 && filter.Admits(_columns!, row))
            {
                best.OfferOne(first + row, scores[row]);
            }
        }
    }

    /// <summary>The most admitted rows that are scored one by one.</summary>
    private int Few(in PreparedQuery query) => _used * query.Numbers.Length / FewFactor;

    /// <summary>Scores consecutive rows.</summary>
    private void Score(int row, in PreparedQuery query, Span<float> scores, Span<float> factors)
    {
        PackedSearch.Dots(Packed, row, query.Numbers, scores);
        ReadOnlySpan<float> each = Factors(row, in query, factors);
        if (!each.IsEmpty)
        {
            TensorPrimitives.Multiply(scores, each, scores);
        }
    }

    /// <summary>The factors of the rows' inner products; empty: none.</summary>
    private ReadOnlySpan<float> Factors(int row, in PreparedQuery query, Span<float> room)
    {
        if (!query.Cosine)
        {
            return _element == RowElement.Int8 ? _scales.AsSpan(row, room.Length) : [];
        }

        int at = _widths.AsSpan().IndexOf(query.Width);
        if (at >= 0)
        {
            return _norms.AsSpan((at * Rows) + row, room.Length);
        }

        PackedSearch.InverseNorms(Packed, row, query.Width, room);
        return room;
    }
}
