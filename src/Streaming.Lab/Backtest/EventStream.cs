using System.Collections.Frozen;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Formats.Files;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Batches recorded events by time with the live ingestion code: event rules and weights, dedup window
/// (a record counts as produced when the event happened), histories, and thus new items and
/// repeats.
/// </summary>
internal sealed class EventStream
{
    private readonly EventLog _events;
    private readonly IngestState _state;
    private readonly Batcher _batcher;
    private readonly BatchPool _pool;
    private readonly EventBytes _bytes = new();
    private readonly HashSet<string> _announced = new(StringComparer.Ordinal);
    private readonly IReadOnlySet<int> _pauses;
    private Batch? _batch;

    /// <summary>Creates a stream at the beginning of the events.</summary>
    /// <param name="events">The events, sorted by time.</param>
    /// <param name="settings">Event types, histories and dedup window.</param>
    /// <param name="batchSize">Events per batch.</param>
    /// <param name="historyLength">Items of a history that the model reads; at least as many are kept.</param>
    /// <param name="time">Clock for the check of event times in the future.</param>
    /// <param name="pauses">Records before which a batch ends even if not full; null: none.</param>
    /// <param name="load">Whether batches grow as those of a worker that is behind; null: they do not.</param>
    public EventStream(
        EventLog events,
        BacktestOptions settings,
        int batchSize,
        int historyLength,
        TimeProvider time,
        IReadOnlySet<int>? pauses = null,
        StreamOptions? load = null
    )
    {
        _events = events;
        _pauses = pauses ?? FrozenSet<int>.Empty;
        HistoryOptions histories = settings.History;
        _state = new IngestState(
            new HistoryOptions { Length = Math.Max(histories.Length, historyLength), MaxUsers = histories.MaxUsers },
            settings.Dedup
        );
        _pool = new BatchPool(checked(batchSize * (load?.Growth ?? 1)), _state.Histories.Length);
        var options = new BatcherOptions { BatchSize = batchSize, Linger = Timeout.InfiniteTimeSpan };
        _batcher = new Batcher(
            options,
            settings.Events.ToRules(time),
            _state,
            new StreamPositions([], []),
            _pool,
            time,
            isBehind: () => IsBehind(load)
        );
    }

    /// <summary>Gets the number of records read.</summary>
    public int Done { get; private set; }

    /// <summary>Gets the number of records by outcome.</summary>
    public EventCounts Counts => _state.Totals;

    /// <summary>Gets the ingestion state: histories, dedup window and counts.</summary>
    public IngestState State => _state;

    private bool IsBehind(StreamOptions? load) => load is not null && (load.BehindEvery == 0 || Done / load.BehindEvery % 2 == 1);

    /// <summary>Returns the next batch, reusing the previous one; null at the end.</summary>
    /// <param name="catalogue">Changes to announce before an item's first event, by item id; may be null.</param>
    public Batch? Next(Func<string, ItemChange?>? catalogue)
    {
        if (_batch is { } last)
        {
            _pool.Return(last);
            _batch = null;
        }

        if (Done == _events.Count)
        {
            return null;
        }

        while (Done < _events.Count && !_batcher.IsDue)
        {
            Add(_events[Done++], catalogue);
            if (_pauses.Contains(Done))
            {
                break;
            }
        }

        return _batch = _batcher.Seal();
    }

    private void Add(in EventRow row, Func<string, ItemChange?>? catalogue)
    {
        if (catalogue is not null && _announced.Add(row.Item) && catalogue(row.Item) is { } change)
        {
            _batcher.Add(change);
        }

        _batcher.Add(_bytes.Of(row), row.Time, HistoryStore.UnknownPartition);
    }
}
