using System.Numerics;
using System.Runtime.InteropServices;
using Streaming.Core.Paging;

namespace Streaming.Core.Histories;

/// <summary>
/// The newest L items of each user, in order of event time, for a bounded number of users: a new user evicts the least
/// recently active one. An append allocates nothing once the pages exist.
/// </summary>
/// <remarks>
/// A user is a record (key; partition, class and index of the block) found by open addressing. Blocks come in sizes 4, 16, 64, …, L,
/// and a user moves to the next size when its block is full, so that many users with short histories cost little. A block stores
/// the items first, oldest at 0, then their times. One thread owns the store; any thread may read snapshots.
/// <para>A user's partition is that of its newest event: it tells which rank reads the user's next one.</para>
/// </remarks>
public sealed partial class HistoryStore
{
    /// <summary>The partition of a user whose events did not come from a partition, or from one above 65,534.</summary>
    public const int UnknownPartition = 0xFFFF;

    /// <summary>The largest L.</summary>
    internal const int MaxLength = 1024;

    private const int KeyWord = 0;
    private const int PlaceWord = 1;
    private readonly int _length;
    private readonly int _maxUsers;
    private readonly int[] _sizes;
    private readonly PagedSlab[] _blocks;
    private readonly PagedSlab _users = new(2);
    private readonly int[] _table;
    private readonly int _tableShift;
    private readonly int[] _newer;
    private readonly int[] _older;
    private int[]? _spareOrder;
    private int _newest = -1;
    private int _oldest = -1;

    /// <summary>Creates an empty store.</summary>
    /// <param name="options">The bounds.</param>
    public HistoryStore(HistoryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _length = options.Length;
        _maxUsers = options.MaxUsers;
        _sizes = BlockSizes(_length);
        _blocks = Array.ConvertAll(_sizes, static size => new PagedSlab(2 * size));

        // At most two thirds full. The operating system commits the memory page by page, on first touch.
        uint buckets = BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, _maxUsers + ((long)_maxUsers / 2)));
        _table = new int[buckets];
        _tableShift = 64 - BitOperations.Log2(buckets);
        _newer = new int[_maxUsers];
        _older = new int[_maxUsers];
    }

    /// <summary>Gets the number of users with a history.</summary>
    public int UserCount { get; private set; }

    /// <summary>Gets the number of users evicted.</summary>
    public long Evictions { get; private set; }

    /// <summary>Gets L.</summary>
    public int Length => _length;

    /// <summary>Gets the size in bytes of records, blocks and tables.</summary>
    public long Bytes => _users.Bytes + _blocks.Sum(static slab => slab.Bytes) + (4L * (_table.Length + _newer.Length + _older.Length));

    /// <summary>
    /// Writes the user's history as of the event to <paramref name="before"/>, oldest first, then inserts the item in order of
    /// time. Entries with equal times keep their order of arrival.
    /// </summary>
    /// <param name="user">The user's key.</param>
    /// <param name="item">The item's key.</param>
    /// <param name="time">When it happened, Unix milliseconds.</param>
    /// <param name="allowedLateness">Milliseconds behind the user's newest event up to which an event is not late.</param>
    /// <param name="before">Room for L items; excludes items later than <paramref name="time"/>.</param>
    /// <param name="partition">The partition that the event was read from, 0 and up.</param>
    public HistoryAppend Append(
        ulong user,
        ulong item,
        long time,
        long allowedLateness,
        Span<ulong> before,
        int partition = UnknownPartition
    )
    {
        partition = (uint)partition < UnknownPartition ? partition : UnknownPartition;
        int slot = Find(user, out int bucket);
        if (slot < 0)
        {
            AddUser(user, bucket, [(long)item], [time], partition);
            return default;
        }

        Touch(slot);
        var place = Place.Unpack(_users.Read(slot)[PlaceWord]);
        int size = _sizes[place.Class];
        ReadOnlySpan<long> block = _blocks[place.Class].Read(place.Block);
        ReadOnlySpan<long> items = block[..place.Count];
        ReadOnlySpan<long> times = block.Slice(size, place.Count);

        int at = place.Count;
        while (at > 0 && times[at - 1] > time)
        {
            at--;
        }

        bool late = times[^1] - allowedLateness > time;
        bool repeat = items.Contains((long)item);
        MemoryMarshal.Cast<long, ulong>(items[..at]).CopyTo(before);
        if (place.Partition != partition && (at == place.Count || place.Partition == UnknownPartition))
        {
            place = place with { Partition = partition };
            _users.Write(slot)[PlaceWord] = place.Pack();
        }

        Insert(slot, place, at, (long)item, time);
        return new HistoryAppend(at, true, repeat, late);
    }

    /// <summary>Copies a user's history, oldest first.</summary>
    /// <param name="user">The user's key.</param>
    /// <param name="items">Room for L items.</param>
    /// <returns>The number of items; 0 for an unknown user.</returns>
    public int Get(ulong user, Span<ulong> items)
    {
        int slot = Find(user, out _);
        if (slot < 0)
        {
            return 0;
        }

        var place = Place.Unpack(_users.Read(slot)[PlaceWord]);
        MemoryMarshal.Cast<long, ulong>(_blocks[place.Class].Read(place.Block)[..place.Count]).CopyTo(items);
        return place.Count;
    }

    /// <summary>Copies the newest items of a user, oldest first.</summary>
    /// <param name="user">The user's key.</param>
    /// <param name="items">Receives the newest items that fit.</param>
    /// <param name="age">The age of the history, computed over the copied items.</param>
    /// <returns>The number of items copied; 0 for an unknown user.</returns>
    internal int GetNewest(ulong user, Span<ulong> items, out HistoryAge age)
    {
        age = default;
        int slot = Find(user, out _);
        if (slot < 0)
        {
            return 0;
        }

        var place = Place.Unpack(_users.Read(slot)[PlaceWord]);
        ReadOnlySpan<long> block = _blocks[place.Class].Read(place.Block);
        int count = Math.Min(place.Count, items.Length);
        ReadOnlySpan<long> times = block.Slice(_sizes[place.Class] + place.Count - count, count);
        MemoryMarshal.Cast<long, ulong>(block.Slice(place.Count - count, count)).CopyTo(items);
        long sum = 0;
        foreach (long time in times)
        {
            sum += time;
        }

        age = new HistoryAge(times[^1], sum);
        return count;
    }

    /// <summary>Gets the key of a user by index, 0 … <see cref="UserCount"/> − 1; an index may later name another user.</summary>
    internal ulong UserAt(int number) => (ulong)_users.Read(number)[KeyWord];

    /// <summary>Takes a snapshot: shares the pages and copies the order of activity (4 bytes per user).</summary>
    internal HistorySnapshot Share()
    {
        // Fresh memory costs several times the copy: the operating system commits it page by page.
        int[] newer = Interlocked.Exchange(ref _spareOrder, null) is { } spare && spare.Length >= UserCount ? spare : new int[UserCount];
        _newer.AsSpan(0, UserCount).CopyTo(newer);
        return new HistorySnapshot(
            _users.Share(),
            Array.ConvertAll(_blocks, static slab => slab.Share()),
            _sizes,
            newer,
            _oldest,
            UserCount,
            Evictions,
            order => Volatile.Write(ref _spareOrder, order)
        );
    }

    private static int[] BlockSizes(int length)
    {
        List<int> sizes = [];
        for (int size = 4; size < length; size *= 4)
        {
            sizes.Add(size);
        }

        sizes.Add(length);
        return [.. sizes];
    }

    private void Insert(int slot, Place place, int at, long item, long time)
    {
        int size = _sizes[place.Class];
        if (place.Count == size && place.Class < _sizes.Length - 1)
        {
            place = Grow(place);
            size = _sizes[place.Class];
        }

        bool full = place.Count == size;
        if (full && at == 0)
        {
            return; // older than all of the newest L
        }

        Span<long> block = _blocks[place.Class].Write(place.Block);
        Span<long> items = block[..size];
        Span<long> times = block[size..];
        if (full)
        {
            at--;
            items.Slice(1, at).CopyTo(items);
            times.Slice(1, at).CopyTo(times);
        }
        else
        {
            items[at..place.Count].CopyTo(items[(at + 1)..]);
            times[at..place.Count].CopyTo(times[(at + 1)..]);
            place = place with { Count = place.Count + 1 };
            _users.Write(slot)[PlaceWord] = place.Pack();
        }

        items[at] = item;
        times[at] = time;
    }

    private Place Grow(Place place)
    {
        int size = _sizes[place.Class];
        int largerSize = _sizes[place.Class + 1];
        Place larger = place with { Class = place.Class + 1, Block = _blocks[place.Class + 1].Allocate() };
        ReadOnlySpan<long> from = _blocks[place.Class].Read(place.Block);
        Span<long> to = _blocks[larger.Class].Write(larger.Block);
        from[..size].CopyTo(to);
        from[size..].CopyTo(to[largerSize..]);
        _blocks[place.Class].Free(place.Block);
        return larger;
    }

    private void AddUser(ulong user, int bucket, ReadOnlySpan<long> items, ReadOnlySpan<long> times, int partition)
    {
        int slot;
        if (UserCount < _maxUsers)
        {
            slot = _users.Allocate();
            UserCount++;
        }
        else
        {
            slot = EvictOldest();
            Find(user, out bucket);
            Evictions++;
        }

        Place place = Store(items, times, partition);
        Span<long> record = _users.Write(slot);
        record[KeyWord] = (long)user;
        record[PlaceWord] = place.Pack();
        _table[bucket] = slot + 1;
        LinkNewest(slot);
    }

    /// <summary>Copies a history into a new block.</summary>
    private Place Store(ReadOnlySpan<long> items, ReadOnlySpan<long> times, int partition)
    {
        int sizeClass = 0;
        while (_sizes[sizeClass] < items.Length)
        {
            sizeClass++;
        }

        Place place = new(sizeClass, items.Length, _blocks[sizeClass].Allocate(), partition);
        Span<long> block = _blocks[sizeClass].Write(place.Block);
        items.CopyTo(block);
        times.CopyTo(block[_sizes[sizeClass]..]);
        return place;
    }

    private int EvictOldest()
    {
        int slot = _oldest;
        ReadOnlySpan<long> record = _users.Read(slot);
        var place = Place.Unpack(record[PlaceWord]);
        Find((ulong)record[KeyWord], out int bucket);
        RemoveBucket(bucket);
        Unlink(slot);
        _blocks[place.Class].Free(place.Block);
        return slot;
    }

    // Linear probing. The key is already a good hash; the multiplication spreads keys that share their high bits.
    private int Find(ulong user, out int bucket)
    {
        int mask = _table.Length - 1;
        for (bucket = Home(user); _table[bucket] != 0; bucket = (bucket + 1) & mask)
        {
            int slot = _table[bucket] - 1;
            if (_users.Read(slot)[KeyWord] == (long)user)
            {
                return slot;
            }
        }

        return -1;
    }

    private int Home(ulong user) => (int)((user * 0x9E3779B97F4A7C15) >> _tableShift);

    // Backward shift instead of tombstones, so lookups stay short however many users come and go.
    private void RemoveBucket(int hole)
    {
        int mask = _table.Length - 1;
        for (int bucket = (hole + 1) & mask; _table[bucket] != 0; bucket = (bucket + 1) & mask)
        {
            int home = Home((ulong)_users.Read(_table[bucket] - 1)[KeyWord]);
            if (((bucket - home) & mask) >= ((bucket - hole) & mask))
            {
                _table[hole] = _table[bucket];
                hole = bucket;
            }
        }

        _table[hole] = 0;
    }

    private void Touch(int slot)
    {
        if (slot != _newest)
        {
            Unlink(slot);
            LinkNewest(slot);
        }
    }

    private void Unlink(int slot)
    {
        int newer = _newer[slot];
        int older = _older[slot];
        if (newer >= 0)
        {
            _older[newer] = older;
        }
        else
        {
            _newest = older;
        }

        if (older >= 0)
        {
            _newer[older] = newer;
        }
        else
        {
            _oldest = newer;
        }
    }

    private void LinkNewest(int slot)
    {
        _newer[slot] = -1;
        _older[slot] = _newest;
        if (_newest >= 0)
        {
            _newer[_newest] = slot;
        }
        else
        {
            _oldest = slot;
        }

        _newest = slot;
    }

    /// <summary>A user's partition, and where its block is: size class, entries in use, index of the block. One word of the
    /// record.</summary>
    internal readonly record struct Place(int Class, int Count, int Block, int Partition)
    {
        public static Place Unpack(long word) =>
            new((int)((word >> 44) & 0xF), (int)((word >> 32) & 0xFFF), (int)word, (int)((ulong)word >> 48));

        public long Pack() => ((long)Partition << 48) | ((long)Class << 44) | ((long)Count << 32) | (uint)Block;
    }
}
