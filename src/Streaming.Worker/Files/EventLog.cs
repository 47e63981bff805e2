using System.Runtime.InteropServices;

namespace Streaming.Worker;

/// <summary>
/// Events of one or several files in the order of their times, in memory: 24 bytes an event and each id once.
/// Events of the same time keep the order of the files, because within a day that order is all there is.
/// </summary>
internal sealed class EventLog
{
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<long, string> _eventIds = [];
    private readonly StringTable _users = new();
    private readonly StringTable _items = new();
    private readonly StringTable _types = new();
    private readonly Dictionary<int, string> _titles = [];
    private bool _sorted = true;

    /// <summary>Gets the number of events.</summary>
    public int Count => _entries.Count;

    /// <summary>Gets the number of different users.</summary>
    public int Users => _users.Count;

    /// <summary>Gets the number of different items.</summary>
    public int Items => _items.Count;

    /// <summary>Gets or sets the number of rows that were dropped by the rules of their format (no customer, a cancellation, …).</summary>
    public long Dropped { get; set; }

    /// <summary>Gets or sets the number of rows that could not be read.</summary>
    public long Bad { get; set; }

    /// <summary>Gets the event at a place, 0 … <see cref="Count"/> − 1, in the order of time.</summary>
    public EventRow this[int index]
    {
        get
        {
            Entry entry = _entries[index];
            return new EventRow(_users[entry.User], _items[entry.Item], entry.Time, _types[entry.Type], _eventIds.GetValueOrDefault(entry.Number));
        }
    }

    /// <summary>Adds an event.</summary>
    public void Add(ReadOnlySpan<char> user, ReadOnlySpan<char> item, long time, string type, string? eventId = null)
    {
        _sorted &= _entries.Count == 0 || _entries[^1].Time <= time;
        if (eventId is not null)
        {
            _eventIds[_entries.Count] = eventId;
        }

        _entries.Add(new Entry(time, _entries.Count, _users.Intern(user), _items.Intern(item), (ushort)_types.Intern(type)));
    }

    /// <summary>Remembers an item's title, the first one that comes.</summary>
    public void SetTitle(ReadOnlySpan<char> item, ReadOnlySpan<char> title)
    {
        if (title.Length > 0)
        {
            int index = _items.Intern(item);
            if (!_titles.ContainsKey(index))
            {
                _titles.Add(index, title.ToString());
            }
        }
    }

    /// <summary>An item's title where a file had one.</summary>
    public string? TitleOf(string item) => _items.TryFind(item, out int index) ? _titles.GetValueOrDefault(index) : null;

    /// <summary>Puts the events into the order of time, unless they are.</summary>
    public void SortByTime()
    {
        if (!_sorted)
        {
            // The number breaks ties, which makes the sort stable.
            _entries.Sort(static (a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : a.Number.CompareTo(b.Number));
            _sorted = true;
        }
    }

    /// <summary>Leaves out all but the first events.</summary>
    public void KeepFirst(long count)
    {
        if (count < _entries.Count)
        {
            _entries.RemoveRange((int)count, _entries.Count - (int)count);
        }
    }

    /// <summary>Plants a drift: from an event on, items go by each other's ids, so that nothing learned about them holds.</summary>
    /// <param name="from">The first event that it changes, 0 … <see cref="Count"/>; the log is in the order of time.</param>
    /// <param name="seed">Seed of the exchange, a random permutation of the items.</param>
    public void ExchangeItems(int from, int seed)
    {
        int[] other = [.. Enumerable.Range(0, _items.Count)];
        new Random(seed).Shuffle(other);
        foreach (ref Entry entry in CollectionsMarshal.AsSpan(_entries)[from..])
        {
            entry = entry with { Item = other[entry.Item] };
        }
    }

    private readonly record struct Entry(long Time, int Number, int User, int Item, ushort Type);
}
