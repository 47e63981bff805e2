using System.Diagnostics;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Histories;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Core.Tracing;

namespace Streaming.Core.Ingestion;

/// <summary>
/// Turns the stream into batches: validates each event, drops duplicates, maintains the histories, and seals a batch when it
/// is full or its first record has waited long enough. While the trainer is behind, a full batch grows until it is not, or to the
/// capacity of the pool's batches. The contents of a sealed batch (examples, counts, positions,
/// snapshot) are the effect of exactly the records before its positions.
/// </summary>
/// <remarks>
/// For each record the owner calls <see cref="Add(in InteractionEvent, long, int)"/> or <see cref="Reject"/> or
/// <see cref="Add(ItemChange)"/>, then <see cref="Advance"/>, then, if <see cref="IsDue"/>, <see cref="Seal()"/>.
/// One thread; only <see cref="RequestCheckpoint"/> may be called from others. Allocates nothing per event.
/// </remarks>
public sealed class Batcher
{
    /// <summary>A batch also ends after this many records per example of its capacity, so that a run of duplicates or invalid
    /// records advances the positions too, whatever the linger.</summary>
    private const int RecordsPerExample = 16;

    /// <summary>Maximum catalogue changes per batch: about 12 MB with 768 features each.</summary>
    private const int MaxItemChanges = 4096;

    private readonly BatcherOptions _options;
    private readonly EventRules _rules;
    private readonly IngestState _state;
    private readonly BatchPool _pool;
    private readonly TimeProvider _time;
    private readonly HistoryFeed? _feed;
    private readonly LoadShedding? _shedding;
    private readonly Func<bool>? _isBehind;
    private readonly long _allowedLateness;
    private readonly ulong[] _discard;
    private Batch _batch;
    private EventCounts _counts;
    private long _firstRecord;
    private bool _isEmpty = true;
    private int _checkpointRequested;

    /// <summary>Creates a batcher.</summary>
    /// <param name="options">Sizes and times.</param>
    /// <param name="rules">Validation of events.</param>
    /// <param name="state">The ingestion state: new, or from a checkpoint.</param>
    /// <param name="positions">The live positions, from the same checkpoint.</param>
    /// <param name="pool">The pool of batches, with at least the batch size and the same history length.</param>
    /// <param name="time">The clock, for the linger and for what is measured.</param>
    /// <param name="feed">Receives the users whose history changes; null when histories are not published.</param>
    /// <param name="shedding">Selects events to skip while the trainer is too far behind; null to train on all.</param>
    /// <param name="isBehind">Whether earlier batches wait for the trainer; null: batches never grow.</param>
    public Batcher(
        BatcherOptions options,
        EventRules rules,
        IngestState state,
        StreamPositions positions,
        BatchPool pool,
        TimeProvider time,
        HistoryFeed? feed = null,
        LoadShedding? shedding = null,
        Func<bool>? isBehind = null
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _options = options;
        _rules = rules;
        _state = state;
        Positions = positions;
        _pool = pool;
        _time = time;
        _feed = feed;
        _shedding = shedding;
        _isBehind = isBehind;
        _allowedLateness = (long)options.AllowedLateness.TotalMilliseconds;
        _discard = new ulong[state.Histories.Length];
        _batch = pool.Rent();
        if (_batch.Capacity < options.BatchSize || _batch.HistoryLength != state.Histories.Length)
        {
            throw new ArgumentException(
                $"The pool's batches are for {_batch.Capacity} examples with histories of {_batch.HistoryLength}; the settings require "
                    + $"{options.BatchSize} and {state.Histories.Length}.",
                nameof(pool)
            );
        }
    }

    /// <summary>Gets the live positions, including the records of the unsealed batch.</summary>
    public StreamPositions Positions { get; }

    /// <summary>Gets the totals up to the last sealed batch.</summary>
    public EventCounts Totals => _state.Totals;

    /// <summary>Gets a value indicating whether the current batch is full or its linger has expired.</summary>
    public bool IsDue => IsFull || RemainingLinger() == TimeSpan.Zero;

    /// <summary>Gets how many more events the current batch takes.</summary>
    public int Room => _batch.Capacity - _batch.Count;

    /// <summary>Gets how many events any batch takes, grown or not.</summary>
    public int Capacity => _options.BatchSize;

    /// <summary>Gets a value indicating whether the current batch is empty: no record was read since the last one.</summary>
    public bool IsEmpty => _isEmpty;

    /// <summary>Gets a value indicating whether a batch with a snapshot has been requested.</summary>
    public bool IsCheckpointRequested => Volatile.Read(ref _checkpointRequested) != 0;

    /// <summary>Gets a value indicating whether the next sealed batch is due to carry a snapshot.</summary>
    public bool IsCheckpointDue =>
        IsCheckpointRequested || (_options.CheckpointBatches > 0 && (_state.NextSequence + 1) % _options.CheckpointBatches == 0);

    private bool IsFull =>
        _batch.Count == _batch.Capacity
        || (_batch.Count >= _options.BatchSize && _isBehind?.Invoke() != true)
        || _counts.Read >= (long)_options.BatchSize * RecordsPerExample
        || _batch.ItemChanges.Count >= MaxItemChanges;

    /// <summary>The time until the current batch's linger expires; infinite when it is empty or the linger is off.</summary>
    public TimeSpan RemainingLinger()
    {
        if (_isEmpty || _options.Linger == Timeout.InfiniteTimeSpan)
        {
            return Timeout.InfiniteTimeSpan;
        }

        TimeSpan remaining = _options.Linger - _time.GetElapsedTime(_firstRecord);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }

    /// <summary>Requests a snapshot with the next sealed batch. May be called from any thread.</summary>
    public void RequestCheckpoint() => Volatile.Write(ref _checkpointRequested, 1);

    /// <summary>Returns whether <see cref="Add(in InteractionEvent, long, int)"/> would accept an event, for records with several:
    /// all or none.</summary>
    public DeadLetterReason Check(in InteractionEvent candidate) => _rules.Check(candidate, out _);

    /// <summary>Says in words why an event is refused.</summary>
    /// <param name="candidate">The event.</param>
    /// <param name="reason">What <see cref="Check"/> or <see cref="Add(in InteractionEvent, long, int)"/> gave for it.</param>
    public string Explain(in InteractionEvent candidate, DeadLetterReason reason) => _rules.Explain(candidate, reason);

    /// <summary>Adds an event.</summary>
    /// <param name="candidate">The decoded event; its bytes are copied.</param>
    /// <param name="producedTime">When the record was produced, Unix milliseconds.</param>
    /// <param name="partition">The partition that it was read from, 0 and up, or <see cref="HistoryStore.UnknownPartition"/>.</param>
    /// <returns><see cref="DeadLetterReason.None"/>, or why it was rejected; the caller then dead-letters it (already counted).</returns>
    public DeadLetterReason Add(in InteractionEvent candidate, long producedTime, int partition)
    {
        DeadLetterReason reason = _rules.Check(candidate, out float weight);
        if (reason != DeadLetterReason.None)
        {
            Reject();
            return reason;
        }

        BeginRecord();
        _counts.Read++;
        _counts.Decoded++;
        if (!candidate.EventId.IsEmpty && !_state.Dedup.TryAdd(XxHash64.Hash(candidate.EventId), producedTime))
        {
            _counts.Duplicates++;
        }
        else
        {
            Take(candidate, weight, producedTime, partition);
        }

        return DeadLetterReason.None;
    }

    /// <summary>Lets the trace of the record that was added last go on with the current batch.</summary>
    /// <param name="record">The record's span, which ends with the batch.</param>
    /// <param name="room"><see cref="Room"/> before the record was added: whether it became an example.</param>
    public void Trace(Activity record, int room)
    {
        if (_batch.Count == 0 || room == Room)
        {
            StreamTracing.EndRecord(record, "not trained on");
        }
        else if (_batch.Traces.Count == StreamTracing.MostPerBatch)
        {
            StreamTracing.EndRecord(record, "trained");
        }
        else
        {
            _batch.Traces.Add(new TracedRecord(record, _batch.Count - 1));
        }
    }

    /// <summary>Counts a record of the interactions topic that is dead-lettered.</summary>
    public void Reject()
    {
        BeginRecord();
        _counts.Read++;
        _counts.DeadLettered++;
    }

    /// <summary>Adds a catalogue change to the current batch.</summary>
    public void Add(ItemChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        BeginRecord();
        _batch.ItemChanges.Add(change);
    }

    /// <summary>Advances the position past a processed record.</summary>
    /// <param name="topic">Index of its topic in <see cref="Positions"/>.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="offset">Its offset.</param>
    public void Advance(int topic, int partition, long offset)
    {
        BeginRecord();
        Positions.Set(topic, partition, offset + 1);
    }

    /// <summary>Hands over changed histories if a hand-over is due. <see cref="Seal()"/> does this too; the owner calls it when no
    /// records arrive.</summary>
    public void OfferHistories() => _feed?.Offer();

    /// <summary>Records the current lag.</summary>
    public void ObserveLag(long lag) => _shedding?.Observe(lag);

    /// <summary>Seals the current batch, full or not, and starts the next. It carries a snapshot if one is due.</summary>
    /// <returns>The batch: its receiver returns it to the pool and disposes its snapshot.</returns>
    public Batch Seal() => Seal(IsCheckpointDue);

    /// <summary>Seals the current batch, full or not, and starts the next.</summary>
    /// <param name="checkpoint">Whether it carries a snapshot. A requested snapshot that it does not carry stays due.</param>
    /// <returns>The batch: its receiver returns it to the pool and disposes its snapshot.</returns>
    public Batch Seal(bool checkpoint)
    {
        Batch batch = _batch;
        batch.Sequence = _state.NextSequence++;
        batch.FullSize = _options.BatchSize;
        (batch.Begun, batch.Sealed) = (_isEmpty ? 0 : _firstRecord, _time.GetTimestamp());
        batch.Counts = _counts;
        EventCounts totals = _state.Totals;
        totals.Add(_counts);
        _state.Totals = totals;
        Positions.CopyTo(batch.Positions);
        if (checkpoint)
        {
            Volatile.Write(ref _checkpointRequested, 0);
            batch.Snapshot = _state.Share();
        }

        _counts = default;
        _isEmpty = true;
        _batch = _pool.Rent();
        OfferHistories();
        return batch;
    }

    private void BeginRecord()
    {
        if (_isEmpty)
        {
            _isEmpty = false;
            _firstRecord = _time.GetTimestamp();
        }
    }

    private void Take(in InteractionEvent accepted, float weight, long producedTime, int partition)
    {
        ulong user = XxHash64.Hash(accepted.UserId);
        ulong item = XxHash64.Hash(accepted.ItemId);
        Batch batch = _batch;
        int start = batch.HistoryOffsets[batch.Count];
        Span<ulong> before = weight > 0f ? batch.HistoryItems.AsSpan(start) : _discard;
        HistoryAppend append = _state.Histories.Append(user, item, accepted.EventTime, _allowedLateness, before, partition);
        _feed?.Touch(user, producedTime);
        if (weight == 0f || append.IsLate)
        {
            _counts.HistoryOnly++;
            return;
        }

        if (_shedding?.LeavesOut(accepted, user, item) == true)
        {
            _counts.HistoryOnly++;
            _counts.Shed++;
            return;
        }

        _counts.Trained++;
        int example = batch.Count;
        batch.UserKeys[example] = user;
        batch.ItemKeys[example] = item;
        batch.Weights[example] = weight;
        batch.EventTimes[example] = accepted.EventTime;
        batch.ProducedTimes[example] = producedTime;
        batch.IsRepeat[example] = append.IsRepeat;
        batch.IsKnownUser[example] = append.IsKnownUser;
        batch.HistoryOffsets[example + 1] = start + append.Before;
        AddItemId(batch, accepted.ItemId);
        batch.Count++;
    }

    private static void AddItemId(Batch batch, ReadOnlySpan<byte> id)
    {
        int start = batch.ItemIdOffsets[batch.Count];
        int end = start + id.Length;
        if (end > batch.ItemIdBytes.Length)
        {
            byte[] larger = new byte[Math.Max(end, batch.ItemIdBytes.Length * 2)];
            batch.ItemIdBytes.AsSpan(0, start).CopyTo(larger);
            batch.ItemIdBytes = larger;
        }

        id.CopyTo(batch.ItemIdBytes.AsSpan(start));
        batch.ItemIdOffsets[batch.Count + 1] = end;
    }
}
