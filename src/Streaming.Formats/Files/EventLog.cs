using System.Text;
using Streaming.Core.Events;

namespace Streaming.Formats.Files;

/// <summary>
/// Events of one or several files in order of time, in memory: packed to 8 to 16 bytes per event in most logs, each id stored once.
/// Events with the same time keep the order of the files: in data with daily times that is the only order.
/// </summary>
public sealed class EventLog
{
    private readonly List<EventPage> _pages = [];
    private readonly EventPage.Builder _last = new();
    private readonly StringTable _users = new();
    private readonly StringTable _items = new();
    private readonly StringTable _types = new();
    private readonly Dictionary<int, string> _titles = [];
    private EventPage? _tail;
    private int[]? _order;
    private int[]? _exchanged;
    private int _exchangedFrom;
    private long _latest = long.MinValue;
    private bool _isSorted = true;

    /// <summary>Gets the number of events.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the number of different users.</summary>
    public int Users => _users.Count;

    /// <summary>Gets the number of different items.</summary>
    public int Items => _items.Count;

    /// <summary>Gets or sets the number of rows dropped by the rules of their format (no customer, a cancellation, a deleted
    /// row, …).</summary>
    public long Dropped { get; set; }

    /// <summary>Gets or sets the number of rows that could not be read.</summary>
    public long Bad { get; set; }

    /// <summary>Gets the event at an index, 0 … <see cref="Count"/> − 1, in order of time after <see cref="SortByTime"/>.</summary>
    public EventRow this[int index]
    {
        get
        {
            int number = _order is null ? index : _order[index];
            EventPage page = Page(number);
            int place = number % EventPage.Capacity;
            int item = page.Item(place);
            item = _exchanged is not null && index >= _exchangedFrom ? _exchanged[item] : item;
            return new EventRow(
                _users[page.User(place)],
                _items[item],
                page.Time(place),
                _types[page.Type(place)],
                page.Id(place),
                page.Value(place),
                page.Dwell(place)
            );
        }
    }

    /// <summary>Adds an event.</summary>
    public void Add(ReadOnlySpan<char> user, ReadOnlySpan<char> item, long time, string type) =>
        Add(_users.Intern(user), _items.Intern(item), _types.Intern(type), time, [], null, null);

    /// <summary>Adds an event; one without a type is a view.</summary>
    public void Add(in InteractionEvent added)
    {
        Span<char> chars = stackalloc char[InteractionEvent.MaxIdBytes];
        int user = Intern(_users, added.UserId, chars);
        int item = Intern(_items, added.ItemId, chars);
        Add(
            user,
            item,
            Intern(_types, added.Type.IsEmpty ? "view"u8 : added.Type, chars),
            added.EventTime,
            added.EventId,
            added.Value,
            added.DwellTime
        );
    }

    /// <summary>Sets an item's title, unless it already has one.</summary>
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

    /// <summary>Sets an item's title, given as UTF-8.</summary>
    public void SetTitle(ReadOnlySpan<byte> item, ReadOnlySpan<byte> title)
    {
        Span<char> chars = stackalloc char[InteractionEvent.MaxIdBytes];
        if (!title.IsEmpty && !_titles.ContainsKey(Intern(_items, item, chars)))
        {
            SetTitle(chars[..Encoding.UTF8.GetChars(item, chars)], Encoding.UTF8.GetString(title));
        }
    }

    /// <summary>An item's title, if a file had one.</summary>
    public string? TitleOf(string item) => _items.TryFind(item, out int index) ? _titles.GetValueOrDefault(index) : null;

    /// <summary>Sorts the events by time, unless they are sorted; call after all have been added.</summary>
    public void SortByTime()
    {
        if (_isSorted)
        {
            return;
        }

        // The index breaks ties, which makes the sort stable.
        long[] times = [.. Enumerable.Range(0, Count).Select(number => Page(number).Time(number % EventPage.Capacity))];
        _order = [.. Enumerable.Range(0, Count)];
        _order.AsSpan().Sort((a, b) => times[a] != times[b] ? times[a].CompareTo(times[b]) : a.CompareTo(b));
        _isSorted = true;
    }

    /// <summary>Keeps only the first events.</summary>
    public void KeepFirst(long count) => Count = (int)Math.Min(count, Count);

    /// <summary>Introduces an artificial drift: from an event on, items exchange ids, so that nothing learned about them holds.</summary>
    /// <param name="from">The first event to change, 0 … <see cref="Count"/>; the log is in order of time.</param>
    /// <param name="seed">Seed of the random permutation of the items.</param>
    public void ExchangeItems(int from, int seed)
    {
        _exchanged = [.. Enumerable.Range(0, _items.Count)];
        _exchangedFrom = from;
        new Random(seed).Shuffle(_exchanged);
    }

    private static int Intern(StringTable table, ReadOnlySpan<byte> text, Span<char> chars) =>
        table.Intern(chars[..Encoding.UTF8.GetChars(text, chars)]);

    private void Add(int user, int item, int type, long time, ReadOnlySpan<byte> id, double? value, long? dwell)
    {
        _isSorted &= time >= _latest;
        _latest = Math.Max(_latest, time);
        _last.Add(time, user, item, type, id, value, dwell);
        _tail = null;
        Count++;
        if (_last.IsFull)
        {
            _pages.Add(_last.Pack());
            _last.Clear();
        }
    }

    private EventPage Page(int number) =>
        number / EventPage.Capacity is var page && page < _pages.Count ? _pages[page] : _tail ??= _last.Pack();
}
