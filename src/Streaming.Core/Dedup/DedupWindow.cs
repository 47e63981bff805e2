using System.Numerics;
using Streaming.Core.Paging;
using Streaming.Core.Snapshots;

namespace Streaming.Core.Dedup;

/// <summary>The hashes of the newest event ids, bounded by count and by age. Allocates nothing once full.</summary>
/// <remarks>A ring of (hash, time) in shared pages, plus an open-addressing table from hash to ring slot.</remarks>
public sealed class DedupWindow
{
    private readonly int _capacity;
    private readonly long _window;
    private readonly PagedSlab _ring = new(2);
    private readonly int[] _table;
    private readonly int _tableShift;
    private int _allocated;
    private int _start;
    private long _now = long.MinValue;

    /// <summary>Creates an empty window.</summary>
    /// <param name="options">The bounds.</param>
    public DedupWindow(DedupOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _capacity = options.Capacity;
        _window = (long)options.Window.TotalMilliseconds;
        uint buckets = BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, 2L * _capacity));
        _table = new int[buckets];
        _tableShift = 64 - BitOperations.Log2(buckets);
    }

    /// <summary>Gets the number of ids remembered.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an event id.</summary>
    /// <param name="hash">Hash of the id.</param>
    /// <param name="time">When the record was produced, Unix milliseconds; an earlier one than the latest seen counts as that.</param>
    /// <returns>False when the id is already in the window: a duplicate.</returns>
    public bool TryAdd(ulong hash, long time)
    {
        if (_capacity == 0)
        {
            return true;
        }

        _now = Math.Max(_now, time);
        Expire();
        if (Find(hash, out int bucket))
        {
            return false;
        }

        if (Count == _capacity)
        {
            RemoveOldest();
            Find(hash, out bucket);
        }

        int place = (int)(((long)_start + Count) % _capacity);
        while (_allocated <= place)
        {
            _ring.Allocate();
            _allocated++;
        }

        Span<long> entry = _ring.Write(place);
        entry[0] = (long)hash;
        entry[1] = _now;
        _table[bucket] = place + 1;
        Count++;
        return true;
    }

    internal DedupSnapshot Share() => new(_ring.Share(), _start, Count, _capacity, _now);

    /// <summary>Restores one snapshot into this empty window; a smaller window keeps the newest ids.</summary>
    internal void ReadFrom(StoredIds stored)
    {
        while (stored.MoveNext())
        {
            TryAdd(stored.Hash, stored.Time);
        }

        _now = Math.Max(_now, stored.Now);
    }

    /// <summary>
    /// Restores the union of several snapshots into this empty window; if there are more ids than it remembers, the newest. Windows that
    /// had come to different times are joined by age: an id is remembered for as long as its own window would have.
    /// </summary>
    /// <returns>The number of different ids.</returns>
    internal long ReadFrom(IReadOnlyList<StoredIds> windows)
    {
        long ids = 0;
        long now = windows.Max(static window => window.Now);
        foreach (StoredIds next in InOrder.Of(windows, static window => window.MoveNext(), static window => window.Age))
        {
            ids += TryAdd(next.Hash, now + next.Age) ? 1 : 0;
        }

        _now = Math.Max(_now, now);
        return ids;
    }

    private void Expire()
    {
        while (Count > 0 && _ring.Read(_start)[1] < _now - _window)
        {
            RemoveOldest();
        }
    }

    private void RemoveOldest()
    {
        Find((ulong)_ring.Read(_start)[0], out int bucket);
        RemoveBucket(bucket);
        _start = _start + 1 == _capacity ? 0 : _start + 1;
        Count--;
    }

    private bool Find(ulong hash, out int bucket)
    {
        int mask = _table.Length - 1;
        for (bucket = Home(hash); _table[bucket] != 0; bucket = (bucket + 1) & mask)
        {
            if (_ring.Read(_table[bucket] - 1)[0] == (long)hash)
            {
                return true;
            }
        }

        return false;
    }

    private int Home(ulong hash) => (int)((hash * 0x9E3779B97F4A7C15) >> _tableShift);

    // Backward shift, as in HistoryStore: the window turns over constantly, so tombstones would fill the table.
    private void RemoveBucket(int hole)
    {
        int mask = _table.Length - 1;
        for (int bucket = (hole + 1) & mask; _table[bucket] != 0; bucket = (bucket + 1) & mask)
        {
            int home = Home((ulong)_ring.Read(_table[bucket] - 1)[0]);
            if (((bucket - home) & mask) >= ((bucket - hole) & mask))
            {
                _table[hole] = _table[bucket];
                hole = bucket;
            }
        }

        _table[hole] = 0;
    }
}
