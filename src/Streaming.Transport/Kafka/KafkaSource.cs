using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Records;
using Streaming.Transport.Kafka.Registry;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka;

/// <summary>
/// The ingestion task: polls both topics, decodes records, updates histories, and forms and hands out batches, all on one thread.
/// </summary>
/// <remarks>
/// Positions belong to the model, not to the consumer group. A partition, whenever it is assigned, is read from its live
/// position: everything before it has affected this model, or is in flight. A revoked partition keeps its
/// position: its records in flight are trained and included in the next checkpoint, so if the partition
/// returns, nothing is read twice or missed. Records that another member reads meanwhile affect only that
/// member's model. Positions are committed to the group after a checkpoint, for lag dashboards, and never read back.
/// Positions also belong to a topic id, not a name: ids are compared when reading starts and before a checkpoint leaves.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A run creates its clients and disposes of them.")]
public sealed partial class KafkaSource
{
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CataloguePollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestLookInterval = TimeSpan.FromSeconds(3);

    private readonly KafkaOptions _options;
    private readonly Batcher _batcher;
    private readonly ChannelWriter<Batch> _output;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RegistrySchemas? _schemas;
    private readonly Rejections _rejectedEvents;
    private readonly Rejections _rejectedItems;
    private readonly KafkaHealth _health;
    private readonly ClientErrors _errors;
    private readonly EventIntake _eventIntake;
    private readonly CatalogueIntake _itemIntake;
    private CancellationToken _giveUp;

    // Owned by the run.
    private TopicWatch? _watch;
    private TopicTracker _events = null!;
    private TopicTracker? _items;
    private AssignmentCheck _assignment = null!;
    private DeadLetterProducer _deadLetters = null!;
    private long _lastCataloguePoll;
    private bool _isCatalogueRead;

    /// <summary>Creates the source. Nothing connects before <see cref="RunAsync"/>.</summary>
    /// <param name="options">How to reach Kafka, and what to read; with a consumer group.</param>
    /// <param name="items">Limits of catalogue records.</param>
    /// <param name="batcher">Forms the batches, with positions from <see cref="CreatePositions"/>.</param>
    /// <param name="output">Receives the batches. It is bounded; when full, the source pauses. Completed at the end, with the error if
    /// any.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logger.</param>
    public KafkaSource(
        KafkaOptions options,
        ItemLimits items,
        Batcher batcher,
        ChannelWriter<Batch> output,
        TimeProvider time,
        ILogger<KafkaSource> logger
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(batcher);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        options.Validate();
        ArgumentException.ThrowIfNullOrEmpty(options.GroupId);
        _options = options;
        _batcher = batcher;
        _output = output;
        _time = time;
        _logger = logger;
        _health = new KafkaHealth(logger);
        _errors = new ClientErrors(options, _health, () => Volatile.Read(ref _watch)?.Request() ?? 0, logger);
        _schemas =
            options.InteractionsFormat == RecordFormat.Registry || options.ItemsFormat == RecordFormat.Registry
                ? new RegistrySchemas(options.Registry, time)
                : null;
        _rejectedEvents = new Rejections(options.InteractionsTopic, options, SendDeadLetter, time, logger);
        _rejectedItems = new Rejections(options.ItemsTopic, options, SendDeadLetter, time, logger);
        _eventIntake = new EventIntake(options, _schemas, batcher, () => Emit(isLast: false, _abort), _rejectedEvents, time);
        _itemIntake = new CatalogueIntake(options, _schemas, items, batcher, _rejectedItems, time);
    }

    /// <summary>Gets or sets the ends of topics deleted since, from <see cref="TopicReplacedException.OldEnds"/>, for counting
    /// their unread records.</summary>
    public IReadOnlyList<StreamPosition> OldEnds { get; set; } = [];

    /// <summary>Gets the partitions that this source reads. With several readers the assignment must be static. Default: all.</summary>
    public PartitionShare Share { get; init; } = PartitionShare.All;

    /// <summary>Gets the current status. Thread-safe.</summary>
    public KafkaSourceStatus Status => Volatile.Read(ref _status) with { Problems = _health.Problems, Rejected = Rejected() };

    /// <summary>Gets a value indicating whether the last records were dropped, because their dead letters were not taken: they are read
    /// again after the next start, and no snapshot may hold them. Known once the output has ended. Any thread.</summary>
    public bool IsCutShort => Volatile.Read(ref _isCutShort);

    /// <summary>Creates the live positions for the batcher.</summary>
    /// <param name="options">The topics.</param>
    /// <param name="start">The checkpoint's positions; empty for a new model.</param>
    public static StreamPositions CreatePositions(KafkaOptions options, IEnumerable<StreamPosition> start)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new StreamPositions(
            options.ItemsTopic.Length == 0 ? [options.InteractionsTopic] : [options.InteractionsTopic, options.ItemsTopic],
            start
        );
    }

    /// <summary>Gets the number of records with this outcome since process start, items included.</summary>
    public long Rejections(DeadLetterReason reason) => _rejectedEvents.Counts[reason] + _rejectedItems.Counts[reason];

    /// <summary>
    /// Gets the number of valid records of the interactions topic without an event: deleted rows, empty lists. Thread-safe.
    /// </summary>
    public long Skipped => _eventIntake.Skipped;

    /// <summary>Commits positions to the group, for lag dashboards. Call when a checkpoint holds them. Thread-safe.</summary>
    public void Commit(IReadOnlyList<StreamPosition> positions) => Volatile.Write(ref _toCommit, positions);

    /// <summary>Reads until stopped or until it cannot continue.</summary>
    /// <param name="stopping">Stops reading: records already read are still handed out, the last batch with a snapshot.</param>
    /// <param name="abort">Drops everything: another stage failed.</param>
    /// <param name="giveUp">After <paramref name="stopping"/>: stops waiting for dead letters that the broker does not take. The last
    /// batch is then dropped, and its records are read again after the next start.</param>
    /// <exception cref="KafkaSourceException">The stream's contents are unusable.</exception>
    /// <exception cref="TopicReplacedException">A topic was deleted and recreated while it was read.</exception>
    /// <exception cref="KafkaUnavailableException">Kafka denies a required operation, or its client failed permanently.</exception>
    public Task RunAsync(CancellationToken stopping, CancellationToken abort, CancellationToken giveUp = default)
    {
        _giveUp = giveUp;
        return Task.Factory.StartNew(
            () => Run(stopping, abort),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    private void Run(CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            _abort = abort;
            _stopping = stopping;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, abort);
            using TopicClient client = new(_options, _errors.Report);
            string[] topics =
            [
                _options.InteractionsTopic,
                .. _options.ItemsTopic.Length > 0 ? [_options.ItemsTopic] : Array.Empty<string>(),
                _options.DeadLetterTopic,
            ];
            TimeSpan interval = _options.MetadataRefresh < LongestLookInterval ? _options.MetadataRefresh : LongestLookInterval;
            using TopicWatch watch = new(() => client.DescribeAsync(topics), interval);
            Volatile.Write(ref _watch, watch);
            using (_deadLetters = new DeadLetterProducer(_options, _errors.Report, _time))
            {
                Open(client);
                Read(either.Token, abort);
            }

            _output.Complete();
        }
        catch (Exception exception)
        {
            _output.TryComplete(exception);
            throw;
        }
        finally
        {
            _schemas?.Dispose();
            Volatile.Write(ref _watch, null);
        }
    }

    private void Open(TopicClient client)
    {
        KafkaSourceLog.Started(_logger, _options.InteractionsTopic, _options.Assignment, _options.ItemsTopic, _options.BootstrapServers);
        _events = Track(client, _options.InteractionsTopic, TopicNumber.Interactions);
        _items = _options.ItemsTopic.Length > 0 ? Track(client, _options.ItemsTopic, TopicNumber.Items) : null;
        _assignment = new AssignmentCheck(
            _options.InteractionsTopic,
            _options.GroupId,
            _options.SessionTimeout,
            () => client.TryCountOtherMembersAsync(_options.GroupId, _options.InteractionsTopic, _events.Reader.MemberId),
            _time
        );
    }

    private TopicTracker Track(TopicClient client, string topic, int number)
    {
        PartitionReader reader = new(_options, topic, number, _batcher.Positions, _errors.Report, _logger, Share);
        return new TopicTracker(_options, number, reader, _batcher.Positions, client, _health, OldEnds, _logger, Share);
    }

    // In order: the catalogue to its end, events until stopped, then the remainder.
    private void Read(CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            ReadCatalogue(stopping, abort);
            while (!stopping.IsCancellationRequested)
            {
                ReadNext(abort);
            }

            abort.ThrowIfCancellationRequested();
            if (!Emit(isLast: true, abort))
            {
                Volatile.Write(ref _isCutShort, true);
                KafkaSourceLog.DeadLettersWait(_logger);
            }

            ReportRejections(isEnd: true);
            Leave(isPolite: !_health.IsUnavailable);
            KafkaSourceLog.Stopped(_logger, _batcher.Totals.Read);
        }
        catch
        {
            ReportRejections(isEnd: true);
            Leave(isPolite: false);
            throw;
        }
    }

    // The client's Close commits stored offsets and waits for a broker that may be unreachable; bounded by the limit.
    private void Leave(bool isPolite)
    {
        PartitionReader[] readers = _items is null ? [_events.Reader] : [_items.Reader, _events.Reader];
        var leaving = Task.Run(
            () =>
            {
                foreach (PartitionReader reader in readers)
                {
                    using (reader)
                    {
                        if (isPolite)
                        {
                            reader.Close();
                        }
                    }
                }
            },
            CancellationToken.None
        );
        if (Task.WaitAny([leaving], LeaveLimit) == 0)
        {
            leaving.GetAwaiter().GetResult();
        }
    }

    // A missing or denied topic is read once it becomes available; events do not wait for it.
    private void ReadCatalogue(CancellationToken stopping, CancellationToken abort)
    {
        while (
            _items is { Reader.IsAtEnd: false } items
            && !stopping.IsCancellationRequested
            && _watch!.Report.Of(_options.ItemsTopic) is null or { Exists: true, CanRead: true }
        )
        {
            ReadItem(items, PollTime);
            EmitIfDue(abort);
            DoChores();
        }

        PublishStatus();
    }

    private void ReadNext(CancellationToken abort)
    {
        TimeSpan linger = _batcher.RemainingLinger();
        ConsumeResult<RecordBuffer, RecordBuffer>? record = _events.Reader.Poll(
            linger >= TimeSpan.Zero && linger < PollTime ? linger : PollTime
        );
        if (record is not null)
        {
            _errors.EndOutage();
            if (HasSchema(_events.Reader, record, _options.InteractionsFormat))
            {
                _eventIntake.Take(record);
            }
        }

        TakeReachedEnds(_events.Reader, TopicNumber.Interactions);
        EmitIfDue(abort);
        if (record is null || _time.GetElapsedTime(_lastCataloguePoll) >= CataloguePollInterval)
        {
            DoChores();
            while (_items is not null && ReadItem(_items, TimeSpan.Zero))
            {
                EmitIfDue(abort);
            }

            _lastCataloguePoll = _time.GetTimestamp();
        }
    }

    private bool ReadItem(TopicTracker items, TimeSpan timeout)
    {
        ConsumeResult<RecordBuffer, RecordBuffer>? record = items.Reader.Poll(timeout);
        if (record is not null)
        {
            _errors.EndOutage();
            if (HasSchema(items.Reader, record, _options.ItemsFormat))
            {
                _itemIntake.Take(record);
            }
        }

        TakeReachedEnds(items.Reader, TopicNumber.Items);
        return record is not null;
    }

    private void TakeReachedEnds(PartitionReader reader, int number)
    {
        if (reader.ReachedEnds.Count == 0)
        {
            return;
        }

        foreach ((int partition, long end) in reader.ReachedEnds)
        {
            if (end > 0 && end > _batcher.Positions[number, partition])
            {
                _batcher.Advance(number, partition, end - 1);
            }
        }

        reader.ReachedEnds.Clear();
    }
}
