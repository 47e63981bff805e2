using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;
using Streaming.Kernels.Simd;

namespace Streaming.Serving.Search;

/// <summary>
/// A few thousand items with their own lock: a writer waits only for searches currently in this segment, not for whole searches, and
/// a table grows without copying.
/// </summary>
internal sealed class ItemSegment : IDisposable
{
    public const int Rows = 4096;

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
    private int _used;

    /// <param name="element">Element type of the rows.</param>
    /// <param name="widths">The nested widths, whose prefix norms are stored; the last is the rows' width.</param>
    public ItemSegment(RowElement element, int[] widths)
    {
        _element = element;
        _widths = widths;
        _values = new AlignedFloats(PackedRows.Bytes(element, Rows, widths[^1]) / sizeof(float));
        _norms = new float[widths.Length * Rows];
        Bytes =
            _values.Bytes
            + (_norms.Length * sizeof(float))
            + (Rows * (sizeof(float) + sizeof(byte) + IntPtr.Size + sizeof(uint) + sizeof(long)));
    }

    /// <summary>Gets its size in bytes, without the texts of ids.</summary>
    public long Bytes { get; }

    private PackedRows Packed =>
        new()
        {
            Values = MemoryMarshal.AsBytes(_values.Span),
            Element = _element,
            Capacity = Rows,
        };

    /// <summary>Scores all items and offers them.</summary>
    /// <param name="best">Receives the rows, counted from <paramref name="first"/>.</param>
    /// <param name="first">Number of this segment's first row.</param>
    /// <param name="query">The prepared query.</param>
    /// <param name="scores">Room for <see cref="Rows"/> scores.</param>
    /// <param name="factors">Room for <see cref="Rows"/> factors.</param>
    public void Offer(ref BestRows best, int first, in PreparedQuery query, Span<float> scores, Span<float> factors)
    {
        _lock.EnterReadLock();
        try
        {
            scores = scores[.._used];
            PackedSearch.Dots(Packed, 0, query.Numbers, scores);
            ReadOnlySpan<float> each = Factors(0, in query, factors[.._used]);
            if (!each.IsEmpty)
            {
                TensorPrimitives.Multiply(scores, each, scores);
            }

            best.Offer(first, scores, _present.AsSpan(0, _used));
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>The score of one item, and its id.</summary>
    /// <returns>False when the row has no item (any more).</returns>
    public bool TryScore(int row, in PreparedQuery query, out Neighbour item)
    {
        Span<float> score = stackalloc float[1],
            factor = stackalloc float[1];
        _lock.EnterReadLock();
        try
        {
            item = default;
            if (_present[row] == 0)
            {
                return false;
            }

            PackedSearch.Dots(Packed, row, query.Numbers, score);
            ReadOnlySpan<float> own = Factors(row, in query, factor);
            item = new Neighbour(_ids[row], score[0] * (own.IsEmpty ? 1 : own[0]) * query.Factor);
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
            if (_present[row] == 0 || RedisKeys.Hash(id) != key)
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

    /// <summary>Copies the ids of its items.</summary>
    /// <param name="ids">Room for <see cref="Rows"/> ids.</param>
    /// <param name="before">How many of them are of rows before <paramref name="row"/>.</param>
    /// <param name="row">A row.</param>
    /// <returns>The number of items.</returns>
    public int CopyIds(Span<string> ids, out int before, int row)
    {
        _lock.EnterReadLock();
        try
        {
            int count = before = 0;
            for (int at = 0; at < _used; at++)
            {
                if (_present[at] != 0)
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
    public void Set(int row, string id, ReadOnlySpan<float> vector, in EmbeddingStamp stamp)
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
            (_ids[row], _present[row]) = (string.Empty, 0);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>The item in a row, or null. Writer only.</summary>
    public string? IdAt(int row) => _present[row] == 0 ? null : _ids[row];

    /// <summary>Whether the row's item was written by a trainer with this token after this step, or later. Writer only.</summary>
    public bool IsAtLeast(int row, uint token, long step) => _tokens[row] > token || (_tokens[row] == token && _steps[row] >= step);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

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
