using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core;

namespace Streaming.Transport;

/// <summary>
/// The ingestion task: polls both topics, decodes, keeps histories, forms batches and hands them on, all on one thread.
/// </summary>
/// <remarks>
/// Positions belong to the model, not to the consumer group. A partition that is assigned, at the start or later, is
/// read from its live position: that of everything which has had, or is on its way to have, its effect on this model. A
/// partition that is taken away keeps it: what was in flight is trained all the same and is in the next checkpoint, and
/// should the partition come back, nothing is read twice and nothing left out. What another worker of the group reads meanwhile has
/// its effect on that worker's model alone. Commits go to the group after a checkpoint, for lag dashboards, and are never read back.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Clients live from the beginning to the end of a run, which disposes of them.")]
public sealed partial class KafkaSource
{
    internal const int Interactions = 0;
    internal const int Items = 1;
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CataloguePollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(1);

    /// <summary>A wait shorter than this is sat out; a longer one pauses the partitions, so that polling can go on.</summary>
    private static readonly TimeSpan PauseAfter = TimeSpan.FromMilliseconds(200);

    private readonly KafkaOptions _options;
    private readonly Batcher _batcher;
    private readonly ChannelWriter<Batch> _output;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventDecoder _decoder;
    private readonly ItemDecoder _itemDecoder;
    private readonly DeadLetterRate _rate;
    private readonly long[] _rejections = new long[Enum.GetValues<DeadLetterReason>().Length];
    private readonly List<long> _newestTimes = [];
    private KafkaSourceStatus _status = KafkaSourceStatus.None;
    private IReadOnlyList<StreamPosition>? _toCommit;
    private int _isDegraded;
    private CancellationToken _giveUp;

    // Owned by the run.
    private PartitionReader _events = null!;
    private PartitionReader? _items;
    private KafkaTopics _topics = null!;
    private DeadLetterProducer _deadLetters = null!;
    private long _lastCataloguePoll;
    private long _lastStatus;
    private long _lastRefresh;
    private long _rejectedItems;
    private bool _isCatalogueRead;

    /// <summary>Creates the source. Nothing connects before <see cref="RunAsync"/>.</summary>
    /// <param name="options">How to reach Kafka, and what to read.</param>
    /// <param name="items">Bounds of catalogue records.</param>
    /// <param name="batcher">Forms the batches; its positions are those of <see cref="CreatePositions"/>.</param>
    /// <param name="output">Where batches go: bounded, and when it is full the source pauses. It is completed at the end, with the error if there was one.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public KafkaSource(KafkaOptions options, ItemLimits items, Batcher batcher, ChannelWriter<Batch> output, TimeProvider time, ILogger<KafkaSource> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(batcher);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        options.Validate();
        _options = options;
        _batcher = batcher;
        _output = output;
        _time = time;
        _logger = logger;
        _decoder = new EventDecoder(options.InteractionsFormat, options.MaxRecordBytes);
        _itemDecoder = new ItemDecoder(options.ItemsFormat, options.MaxRecordBytes, items);
        _rate = new DeadLetterRate(options.MaxDeadLetterRate, options.DeadLetterWindow);
    }

    /// <summary>Gets how reading is going. May be called from any thread.</summary>
    public KafkaSourceStatus Status => Volatile.Read(ref _status) with { IsDegraded = Volatile.Read(ref _isDegraded) != 0 };

    /// <summary>Makes the live positions for the batcher.</summary>
    /// <param name="options">The topics.</param>
    /// <param name="start">The checkpoint's positions; empty for a stream that begins.</param>
    public static StreamPositions CreatePositions(KafkaOptions options, IEnumerable<StreamPosition> start)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new StreamPositions(options.ItemsTopic.Length == 0 ? [options.InteractionsTopic] : [options.InteractionsTopic, options.ItemsTopic], start);
    }

    /// <summary>Gets how many records met this end since the start of the process, items included.</summary>
    public long Rejections(DeadLetterReason reason) => Volatile.Read(ref _rejections[(int)reason]);

    /// <summary>Commits positions to the group, for lag dashboards: to be called when a checkpoint holds them. Any thread.</summary>
    public void Commit(IReadOnlyList<StreamPosition> positions) => Volatile.Write(ref _toCommit, positions);

    /// <summary>Reads until told to stop, or until it cannot go on.</summary>
    /// <param name="stopping">Stop reading: what was read is still handed on, the last batch with a snapshot.</param>
    /// <param name="abort">Drop everything: somebody else failed.</param>
    /// <param name="giveUp">After <paramref name="stopping"/>: wait no longer for dead letters that the broker does not take. The last
    /// batch is then left out, and read again after the next start.</param>
    /// <exception cref="KafkaSourceException">Reading cannot go on.</exception>
    public Task RunAsync(CancellationToken stopping, CancellationToken abort, CancellationToken giveUp = default)
    {
        _giveUp = giveUp;
        return Task.Factory.StartNew(() => Run(stopping, abort), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run(CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stopping, abort);
            using (_topics = new KafkaTopics(_options, OnError, _time, _logger))
            using (_deadLetters = new DeadLetterProducer(_options))
            {
                Read(either.Token, abort);
            }

            _output.Complete();
        }
        catch (Exception exception)
        {
            _output.TryComplete(exception);
            throw;
        }
    }

    // The whole story: the catalogue to its end, then events until told to stop, then what is left.
    private void Read(CancellationToken stopping, CancellationToken abort)
    {
        KafkaSourceLog.Started(_logger, _options.InteractionsTopic, _options.Assignment, _options.ItemsTopic, _options.BootstrapServers);
        try
        {
            if (Begin(stopping))
            {
                ReadCatalogue(stopping, abort);
                _events.Start();
                while (!stopping.IsCancellationRequested)
                {
                    ReadNext(abort);
                }
            }

            abort.ThrowIfCancellationRequested();
            if (!Emit(isLast: true, abort))
            {
                KafkaSourceLog.DeadLettersWait(_logger);
            }

            Leave(isPolite: Volatile.Read(ref _isDegraded) == 0);
            KafkaSourceLog.Stopped(_logger, _batcher.Totals.Read);
        }
        catch
        {
            Leave(isPolite: false);
            throw;
        }
    }

    // The client's Close commits what was stored and waits for a broker that may be away: not for longer than the limit.
    private void Leave(bool isPolite)
    {
        (PartitionReader? items, PartitionReader? events) = (_items, _events);
        Task leaving = Task.Run(
            () =>
            {
                using (items)
                using (events)
                {
                    if (isPolite)
                    {
                        items?.Close();
                        events?.Close();
                    }
                }
            },
            CancellationToken.None);
        if (Task.WaitAny([leaving], LeaveLimit) == 0)
        {
            leaving.GetAwaiter().GetResult();
        }
    }

    private bool Begin(CancellationToken stopping)
    {
        try
        {
            _events = CreateReader(_options.InteractionsTopic, Interactions, _options.Assignment == KafkaAssignment.Group, stopping);
            if (_options.ItemsTopic.Length > 0)
            {
                _items = CreateReader(_options.ItemsTopic, Items, inGroup: false, stopping);
                _items.Start();
            }

            return true;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return false;
        }
    }

    private PartitionReader CreateReader(string topic, int number, bool inGroup, CancellationToken stopping)
    {
        int partitions = _topics.WaitForPartitionCount(topic, stopping);
        SetDegraded(null);
        CheckPartitionCount(topic, number, partitions);
        return new PartitionReader(_options, topic, number, inGroup, partitions, _batcher.Positions, OnError, _logger);
    }

    private void CheckPartitionCount(string topic, int number, int partitions)
    {
        int known = _batcher.Positions.PartitionCount(number);
        if (partitions == 0)
        {
            KafkaSourceLog.TopicMissing(_logger, topic, _options.MetadataRefresh);
        }
        else if (partitions < known)
        {
            throw new KafkaSourceException($"Topic '{topic}' has {partitions} partitions, but the positions to go on from name {known}: it was created anew. "
                + "Start a new model, or restore the topic.");
        }
    }

    private void ReadCatalogue(CancellationToken stopping, CancellationToken abort)
    {
        if (_items is null)
        {
            _isCatalogueRead = true;
            return;
        }

        long changes = 0;
        while (!_items.IsAtEnd && !stopping.IsCancellationRequested)
        {
            changes += ReadItem(_items, PollTime) ? 1 : 0;
            EmitIfDue(abort);
            DoChores();
        }

        _isCatalogueRead = _items.IsAtEnd;
        PublishStatus();
        KafkaSourceLog.CatalogueRead(_logger, changes);
    }

    private void ReadNext(CancellationToken abort)
    {
        TimeSpan linger = _batcher.RemainingLinger();
        ConsumeResult<RecordBuffer, RecordBuffer>? record = _events.Poll(linger >= TimeSpan.Zero && linger < PollTime ? linger : PollTime);
        if (record is not null)
        {
            SetDegraded(null);
            Take(record);
        }

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
}
