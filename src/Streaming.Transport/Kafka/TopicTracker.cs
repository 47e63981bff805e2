using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka;

/// <summary>
/// Tracks one topic: starts its reader once it exists, assigns new partitions, and verifies that the positions belong
/// to this topic. Runs on the reading thread.
/// </summary>
internal sealed class TopicTracker
{
    private readonly KafkaOptions _options;
    private readonly string _topic;
    private readonly int _number;
    private readonly KafkaProblem _kind;
    private readonly PartitionReader _reader;
    private readonly StreamPositions _positions;
    private readonly TopicClient _client;
    private readonly KafkaHealth _health;
    private readonly ILogger _logger;
    private readonly OldEnds _ends;
    private readonly PartitionShare _share;
    private long? _recoverWith;
    private bool _wasMissing;
    private bool _toldNoIds;
    private bool _isIdentified;

    public TopicTracker(
        KafkaOptions options,
        int number,
        PartitionReader reader,
        StreamPositions positions,
        TopicClient client,
        KafkaHealth health,
        IReadOnlyList<StreamPosition> oldEnds,
        ILogger logger,
        PartitionShare share
    )
    {
        _share = share;
        _options = options;
        _number = number;
        (_topic, _kind) =
            number == TopicNumber.Interactions
                ? (options.InteractionsTopic, KafkaProblem.InteractionsTopic)
                : (options.ItemsTopic, KafkaProblem.ItemsTopic);
        _reader = reader;
        _positions = positions;
        _client = client;
        _health = health;
        _logger = logger;
        _ends = new OldEnds(_topic, oldEnds);
    }

    /// <summary>Gets the topic's name.</summary>
    public string Topic => _topic;

    /// <summary>Gets the reader.</summary>
    public PartitionReader Reader => _reader;

    /// <summary>Gets how many records the broker deleted before they were read.</summary>
    public long Missing { get; private set; }

    /// <summary>Processes a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="next">Number of the next look.</param>
    /// <param name="batcher">Receives the positions from which a topic is first read.</param>
    /// <exception cref="TopicReplacedException">The positions belong to a deleted topic, and records of the new one may have been
    /// read.</exception>
    /// <exception cref="KafkaSourceException">The positions do not belong to this topic.</exception>
    public void Update(TopicReport report, long next, Batcher batcher)
    {
        if (!report.IsAnswered || report.Of(_topic) is not { } state)
        {
            return;
        }

        _health.Set(_kind, state.ReadProblem);
        if (!state.Exists)
        {
            _wasMissing |= state.IsMissing;
        }
        else if (_reader.IsStarted)
        {
            Check(report);
            _reader.Extend(state.Partitions);
            _ends.Observe(report.Number, next, _reader.Ends(), _positions.TopicId(_number));
        }
        else if (state.CanRead)
        {
            TryStart(state, batcher);
        }
    }

    /// <summary>Checks that the positions belong to the existing topic.</summary>
    /// <returns>False if unknown, because the topic's id has not been seen since the start.</returns>
    /// <exception cref="TopicReplacedException">They do not.</exception>
    public bool Check(TopicReport report)
    {
        if (report.Of(_topic) is not { Exists: true } state)
        {
            return true;
        }

        if (Replaced(state) is { } words)
        {
            throw new TopicReplacedException(words, _ends.Confirmed);
        }

        Identify(state);
        return _isIdentified;
    }

    /// <summary>Requests a look if a partition has no record at its position: its topic may have been replaced.</summary>
    public void NoteUnreadable(TopicWatch watch)
    {
        if (_recoverWith is null && _reader.Unreadable.Count > 0)
        {
            _recoverWith = watch.Request();
        }
    }

    /// <summary>Skips records deleted before they were read, once the topic is known to be the same; throws if not allowed to.</summary>
    /// <exception cref="KafkaSourceException">Records are missing and must not be skipped, or the topic ends before its
    /// position.</exception>
    public void Recover(TopicReport report, Batcher batcher)
    {
        if (_recoverWith is not long look || report.Number < look || !report.IsAnswered || report.Of(_topic) is not { Exists: true })
        {
            return;
        }

        foreach (int partition in _reader.Unreadable)
        {
            if (
                _client.TryFindOffsets(_topic, [partition], OffsetSpec.Earliest()) is not [var first]
                || _client.TryFindOffsets(_topic, [partition], OffsetSpec.Latest()) is not [var end]
            )
            {
                _health.Set(
                    KafkaProblem.Position,
                    $"{_topic}[{partition}] cannot be read at its position {_positions[_number, partition]}, and the broker does not "
                        + "report which offsets exist"
                );
                return;
            }

            long position = Math.Max(0, _positions[_number, partition]);
            if (position > end)
            {
                throw new KafkaSourceException(
                    $"{_topic}[{partition}] ends at {end}, before the model's position {position}: it was truncated or recreated. Start "
                        + "a new model, or restore the topic."
                );
            }

            if (position < first)
            {
                Skip(partition, position, first, batcher);
            }
        }

        _reader.ReassignUnreadable();
        _recoverWith = null;
        _health.Set(KafkaProblem.Position, string.Empty);
    }

    private void Skip(int partition, long position, long first, Batcher batcher)
    {
        long gone = first - position;
        if (!_options.SkipMissing)
        {
            throw new KafkaSourceException(
                $"{gone} records of {_topic}[{partition}] were deleted by the broker before they were read: the model's position is "
                    + $"{position}, the oldest record is at {first}. "
                    + "Restore them, or set STREAMING__Kafka__SkipMissing=true to continue with the oldest record."
            );
        }

        Missing += gone;
        KafkaSourceLog.Skipped(_logger, gone, _topic, partition, position, first);
        batcher.Advance(_number, partition, first - 1);
    }

    private void TryStart(TopicState state, Batcher batcher)
    {
        if (Replaced(state) is { } words)
        {
            if (!_options.SkipMissing)
            {
                throw new KafkaSourceException(words);
            }

            if (!TryRestart(state, batcher))
            {
                return;
            }
        }

        CheckPartitionCount(state.Partitions);
        CheckShare(state.Partitions);
        Identify(state);
        if (TryFindStart(state.Partitions, batcher))
        {
            _reader.Start(state.Partitions);
        }
    }

    private string? Replaced(TopicState state) =>
        _positions.TopicId(_number) is { } held && state.Id is { } seen && held != seen && _positions.PartitionCount(_number) > 0
            ? $"Topic '{_topic}' was deleted and recreated (id {held} → {seen}); the positions of this model belong to the deleted topic. "
                + "Restore it, or set STREAMING__Kafka__SkipMissing=true to continue from the beginning of the new topic."
            : null;

    // An identified topic stays so while a partition has no leader: a recreated one would have leaders.
    private void Identify(TopicState state)
    {
        if (state.Undescribed.Length > 0)
        {
            return;
        }

        _isIdentified = true;
        if (state.Id is { } id)
        {
            _positions.Identify(_number, id);
        }
        else if (!_toldNoIds)
        {
            _toldNoIds = true;
            KafkaSourceLog.NoTopicIds(_logger, _topic);
        }
    }

    // Without topic ids, fewer partitions at least indicate another topic.
    private void CheckPartitionCount(int partitions)
    {
        int known = _positions.PartitionCount(_number);
        if (partitions < known)
        {
            throw new KafkaSourceException(
                $"Topic '{_topic}' has {partitions} partitions, but the model's positions name {known}: it was recreated. "
                    + "Start a new model, or restore the topic."
            );
        }
    }

    // A reader without partitions would take part in every step with nothing.
    private void CheckShare(int partitions)
    {
        if (_number == TopicNumber.Interactions && partitions < _share.Count)
        {
            throw new KafkaSourceException(
                $"Topic '{_topic}' has {partitions} partitions, and {_share.Count} ranks read it, each at least one. Start at most "
                    + $"{partitions} ranks, or add partitions to the topic."
            );
        }
    }

    private bool TryRestart(TopicState state, Batcher batcher)
    {
        if (_client.TryFindOffsets(_topic, Numbers(state.Partitions), OffsetSpec.Earliest()) is not { } first)
        {
            return false;
        }

        long unread = 0;
        bool isKnown = true;
        for (int partition = 0; partition < _positions.PartitionCount(_number); partition++)
        {
            long position = Math.Max(0, _positions[_number, partition]);
            isKnown &= _ends.TryGet(partition, _positions.TopicId(_number), out long end);
            unread += Math.Max(0, end - position);
        }

        KafkaSourceLog.Restarted(
            _logger,
            _topic,
            _positions.TopicId(_number)!,
            state.Id!,
            isKnown ? $"{unread}"
                : unread > 0 ? $"at least {unread}"
                : "unknown"
        );
        Missing += unread;
        _positions.Restart(_number, state.Id!);
        SetAll(first, batcher);
        return true;
    }

    // For a new model. Set as positions at once: a restart before the first event must start here too.
    // A topic that did not exist at first had no records before this start.
    private bool TryFindStart(int partitions, Batcher batcher)
    {
        _ = KafkaStart.TryParse(_options.Start, out KafkaStart start);
        if (
            _number != TopicNumber.Interactions
            || start.IsEarliest
            || _positions.PartitionCount(_number) > 0
            || (_wasMissing && start.Time is null)
        )
        {
            return true;
        }

        long[]? offsets = start.Time is { } time
            ? _client.TryFindOffsets(_topic, Numbers(partitions), OffsetSpec.ForTimestamp(time.ToUnixTimeMilliseconds()))
            : _client.TryFindOffsets(_topic, Numbers(partitions), OffsetSpec.Latest());
        if (offsets is not null && Array.Exists(offsets, static offset => offset < 0))
        {
            // No record is that recent: start at the end.
            long[]? ends = _client.TryFindOffsets(_topic, Numbers(partitions), OffsetSpec.Latest());
            offsets = ends is null ? null : [.. offsets.Zip(ends, static (offset, end) => offset < 0 ? end : offset)];
        }

        SetAll(offsets ?? [], batcher);
        return offsets is not null;
    }

    // Through the batcher: the next checkpoint must hold them even if no record arrives.
    private void SetAll(long[] offsets, Batcher batcher)
    {
        for (int partition = 0; partition < offsets.Length; partition++)
        {
            batcher.Advance(_number, partition, offsets[partition] - 1);
        }
    }

    private static int[] Numbers(int partitions) => [.. Enumerable.Range(0, partitions)];
}
