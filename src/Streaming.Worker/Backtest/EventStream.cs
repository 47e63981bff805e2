using System.Runtime.InteropServices;
using System.Text;
using Streaming.Core;

namespace Streaming.Worker.Backtest;

/// <summary>
/// Makes batches of recorded events in the order of time, as the live ingestion does, with each user's history up to the
/// event. Whether an item is a repeat is told by the whole history, however long; the batch carries its last L items.
/// </summary>
internal sealed class EventStream
{
    private readonly EventLog _events;
    private readonly Batch _batch;
    private readonly StringTable _users = new();
    private readonly StringTable _items = new();
    private readonly List<ulong> _keys = [];
    private readonly List<byte[]> _ids = [];
    private readonly List<List<int>> _histories = [];
    private readonly List<(int User, int Item, int HistoryLength)> _examples = [];
    private int _next;

    /// <summary>Creates a stream at the beginning of the events.</summary>
    public EventStream(EventLog events, int batchSize, int historyLength)
    {
        _events = events;
        _batch = new Batch(batchSize, historyLength);
    }

    /// <summary>Gets the number of events handed out.</summary>
    public int Done => _next;

    /// <summary>Gets the user, item and length of the history of each example of the current batch.</summary>
    public IReadOnlyList<(int User, int Item, int HistoryLength)> Examples => _examples;

    /// <summary>The items of a user before an event, as numbers, oldest first; all of them.</summary>
    public ReadOnlySpan<int> History(int user, int length) => CollectionsMarshal.AsSpan(_histories[user])[..length];

    /// <summary>The next batch, the same object each time; null at the end.</summary>
    /// <param name="catalogue">Changes to announce before an item's first event, by item id; may be null.</param>
    public Batch? Next(Func<string, ItemChange?>? catalogue)
    {
        if (_next == _events.Count)
        {
            return null;
        }

        long sequence = _batch.Sequence;
        _batch.Clear();
        _batch.Sequence = _next == 0 ? 0 : sequence + 1;
        _examples.Clear();
        while (_batch.Count < _batch.Capacity && _next < _events.Count)
        {
            Add(_events[_next++], catalogue);
        }

        return _batch;
    }

    private void Add(EventRow row, Func<string, ItemChange?>? catalogue)
    {
        int user = _users.Intern(row.User);
        if (user == _histories.Count)
        {
            _histories.Add([]);
        }

        int item = Item(row.Item, catalogue);
        var history = _histories[user];
        int i = _batch.Count++;
        _batch.UserKeys[i] = XxHash64.Hash(Encoding.UTF8.GetBytes(row.User));
        _batch.ItemKeys[i] = _keys[item];
        _batch.Weights[i] = 1;
        _batch.EventTimes[i] = row.Time;
        _batch.ProducedTimes[i] = row.Time;
        _batch.IsRepeat[i] = history.Contains(item);
        _batch.IsKnownUser[i] = history.Count > 0;
        AddId(i, _ids[item]);
        int end = _batch.HistoryOffsets[i];
        for (int h = Math.Max(0, history.Count - _batch.HistoryLength); h < history.Count; h++)
        {
            _batch.HistoryItems[end++] = _keys[history[h]];
        }

        _batch.HistoryOffsets[i + 1] = end;
        _examples.Add((user, item, history.Count));
        history.Add(item);
    }

    private int Item(string id, Func<string, ItemChange?>? catalogue)
    {
        int item = _items.Intern(id);
        if (item == _ids.Count)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(id);
            _ids.Add(bytes);
            _keys.Add(XxHash64.Hash(bytes));
            if (catalogue?.Invoke(id) is { } change)
            {
                _batch.ItemChanges.Add(change);
            }
        }

        return item;
    }

    private void AddId(int example, byte[] id)
    {
        int start = _batch.ItemIdOffsets[example];
        if (start + id.Length > _batch.ItemIdBytes.Length)
        {
            byte[] longer = new byte[Math.Max(2 * _batch.ItemIdBytes.Length, start + id.Length)];
            _batch.ItemIdBytes.CopyTo(longer, 0);
            _batch.ItemIdBytes = longer;
        }

        id.CopyTo(_batch.ItemIdBytes, start);
        _batch.ItemIdOffsets[example + 1] = start + id.Length;
    }
}
