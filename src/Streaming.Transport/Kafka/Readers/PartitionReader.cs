using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Transport.Kafka.Readers;

/// <summary>A consumer of one topic that always continues at the live positions. Not thread-safe.</summary>
internal sealed class PartitionReader : IDisposable
{
    private readonly string _topic;
    private readonly int _number;
    private readonly StreamPositions _positions;
    private readonly Action<Error> _onError;
    private readonly ILogger _logger;
    private readonly IConsumer<RecordBuffer, RecordBuffer> _consumer;
    private readonly PauseGate _gate;
    private readonly HashSet<int> _atEnd = [];
    private readonly SortedSet<int> _unreadable = [];
    private readonly bool _isIncremental;
    private readonly PartitionShare _share;

    /// <summary>Creates a reader; it reads nothing before <see cref="Start"/>.</summary>
    /// <param name="options">Connection and consumer settings.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="number">The topic's index in <paramref name="positions"/>.</param>
    /// <param name="positions">The live positions.</param>
    /// <param name="onError">Called with the client's errors, on any thread.</param>
    /// <param name="logger">Logger.</param>
    /// <param name="share">The partitions to read, with static assignment.</param>
    public PartitionReader(
        KafkaOptions options,
        string topic,
        int number,
        StreamPositions positions,
        Action<Error> onError,
        ILogger logger,
        PartitionShare share
    )
    {
        _share = share;
        _topic = topic;
        _number = number;
        _positions = positions;
        _onError = onError;
        _logger = logger;
        IsInGroup = number == TopicNumber.Interactions && options.Assignment == KafkaAssignment.Group;
        _isIncremental = IsInGroup && options.GroupProtocol == KafkaGroupProtocol.Consumer;
        ConsumerConfig config = KafkaClientSettings.Consumer(options, joins: IsInGroup, commits: number == TopicNumber.Interactions);
        _consumer = new ConsumerBuilder<RecordBuffer, RecordBuffer>(config)
            .SetKeyDeserializer(new RecordBuffer())
            .SetValueDeserializer(new RecordBuffer())
            .SetErrorHandler((_, error) => onError(error))
            .SetLogHandler((_, line) => KafkaClientLog.Pass(line, onError))
            .SetPartitionsAssignedHandler((_, assigned) => OnAssigned(assigned))
            .SetPartitionsRevokedHandler((_, revoked) => OnRevoked(revoked))
            .SetPartitionsLostHandler((_, lost) => OnRevoked(lost))
            .Build();
        _gate = new PauseGate(Apply);
    }

    /// <summary>Gets a value indicating whether the consumer group assigns partitions.</summary>
    public bool IsInGroup { get; }

    /// <summary>Gets a value indicating whether reading has started.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>
    /// Gets a value indicating whether the group has assigned partitions since the start; always true with static assignment.
    /// </summary>
    public bool WasAssigned { get; private set; }

    /// <summary>Gets the topic's known number of partitions.</summary>
    public int PartitionCount { get; private set; }

    /// <summary>Gets the number of assigned partitions.</summary>
    public int AssignedCount => IsStarted ? _consumer.Assignment.Count : 0;

    /// <summary>Gets the group's member id; empty until the group has assigned one.</summary>
    public string MemberId => IsStarted ? _consumer.MemberId ?? string.Empty : string.Empty;

    /// <summary>Gets a value indicating whether every partition has reached its end since the start.</summary>
    public bool IsAtEnd => IsStarted && _atEnd.Count >= _share.Of(PartitionCount);

    /// <summary>
    /// Gets the partitions without a record at their position; they deliver nothing until <see cref="ReassignUnreadable"/>.
    /// </summary>
    public IReadOnlyCollection<int> Unreadable => _unreadable;

    /// <summary>Gets partition ends that were reached but are not in the positions yet, because only transaction markers or aborted
    /// records precede them. These are never delivered, and would count as lag for ever.</summary>
    public Dictionary<int, long> ReachedEnds { get; } = [];

    /// <summary>Starts reading.</summary>
    /// <param name="partitions">The topic's number of partitions.</param>
    public void Start(int partitions)
    {
        PartitionCount = partitions;
        if (IsInGroup)
        {
            _consumer.Subscribe(_topic);
        }
        else
        {
            AssignAll();
        }

        IsStarted = true;
    }

    /// <summary>Assigns partitions that were added to the topic. A group does so itself.</summary>
    public void Extend(int partitions)
    {
        if (partitions <= PartitionCount)
        {
            return;
        }

        PartitionCount = partitions;
        if (!IsInGroup)
        {
            AssignAll();
        }
    }

    /// <summary>Waits for the next record.</summary>
    /// <returns>The record, valid until the next call; null on timeout.</returns>
    /// <exception cref="KafkaUnavailableException">The client failed permanently.</exception>
    public ConsumeResult<RecordBuffer, RecordBuffer>? Poll(TimeSpan timeout)
    {
        try
        {
            ConsumeResult<RecordBuffer, RecordBuffer>? record = _consumer.Consume((int)timeout.TotalMilliseconds);
            _gate.Apply();

            // An end-of-partition event does not mean that the queue is empty. Returning at each one
            // would fall behind on a topic that is constantly written to.
            while (record is { IsPartitionEOF: true })
            {
                _atEnd.Add(record.Partition.Value);
                ReachedEnds[record.Partition.Value] = record.Offset.Value;
                record = _consumer.Consume(0);
            }

            return record;
        }
        catch (ConsumeException exception) when (exception.Error.Code == ErrorCode.Local_AutoOffsetReset)
        {
            _unreadable.Add(exception.ConsumerRecord.Partition.Value);
            return null;
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            _onError(exception.Error);
            return null;
        }
        catch (ConsumeException exception)
        {
            throw new KafkaUnavailableException(
                $"The Kafka client failed permanently on topic '{_topic}': {exception.Error.Reason}.",
                exception
            );
        }
    }

    /// <summary>Rewinds to a record that arrived although its partition should have been paused; it is read again later.</summary>
    public void GiveBack(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        ReachedEnds.Remove(record.Partition.Value);
        _consumer.Seek(new TopicPartitionOffset(_topic, record.Partition, record.Offset));
        Pause(true);
    }

    /// <summary>Resumes unreadable partitions at their positions, which have changed since. The client has dropped these partitions and
    /// ignores seeks to them, so they are assigned again.</summary>
    public void ReassignUnreadable()
    {
        List<TopicPartition> assignment = _consumer.Assignment;
        List<TopicPartition> again = assignment.FindAll(partition => _unreadable.Contains(partition.Partition.Value));
        _unreadable.Clear();
        if (again.Count == 0)
        {
            return;
        }

        if (_isIncremental)
        {
            _consumer.IncrementalUnassign(again);
            _consumer.IncrementalAssign(OnAssigned(again));
        }
        else
        {
            _consumer.Assign(OnAssigned(assignment));
        }
    }

    /// <summary>Pauses or resumes fetching. Keep polling meanwhile, or the group removes this member.</summary>
    public void Pause(bool paused) => _gate.Set(paused);

    /// <summary>Commits positions of the assigned partitions in the background.</summary>
    public void StoreForCommit(IReadOnlyList<StreamPosition> positions)
    {
        if (!IsStarted)
        {
            return;
        }

        HashSet<int> held = [.. _consumer.Assignment.Select(static partition => partition.Partition.Value)];
        foreach (StreamPosition position in positions)
        {
            if (position.Topic == _topic && held.Contains(position.Partition))
            {
                TryStore(position);
            }
        }
    }

    /// <summary>Adds the lag of each assigned partition whose end the client knows.</summary>
    public void AddLags(List<PartitionLag> lags)
    {
        foreach ((int partition, long end) in Ends())
        {
            lags.Add(new PartitionLag(_topic, partition, end < 0 ? -1 : Math.Max(0, end - Math.Max(0, _positions[_number, partition]))));
        }
    }

    /// <summary>The last known end of each assigned partition; negative if unknown.</summary>
    public IEnumerable<(int Partition, long End)> Ends() =>
        !IsStarted
            ? []
            : _consumer.Assignment.Select(partition => (partition.Partition.Value, _consumer.GetWatermarkOffsets(partition).High.Value));

    /// <summary>Leaves the group, so that other members need not wait for the session timeout.</summary>
    public void Close()
    {
        if (IsStarted)
        {
            _consumer.Close();
        }
    }

    public void Dispose() => _consumer.Dispose();

    private void Apply(bool paused)
    {
        if (paused)
        {
            _consumer.Pause(_consumer.Assignment);
        }
        else
        {
            _consumer.Resume(_consumer.Assignment);
        }
    }

    private void AssignAll() =>
        _consumer.Assign(
            OnAssigned([
                .. Enumerable.Range(0, PartitionCount).Where(_share.Has).Select(partition => new TopicPartition(_topic, partition)),
            ])
        );

    // With KIP-848 only the added partitions, otherwise all of them; the client adds or replaces accordingly.
    private List<TopicPartitionOffset> OnAssigned(List<TopicPartition> assigned)
    {
        WasAssigned = true;
        _gate.OnAssigned();
        return assigned.ConvertAll(partition =>
        {
            long position = _positions[_number, partition.Partition.Value];
            KafkaSourceLog.Assigned(_logger, _topic, partition.Partition.Value, Math.Max(0, position));
            return new TopicPartitionOffset(partition, position >= 0 ? position : Offset.Beginning);
        });
    }

    private void OnRevoked(List<TopicPartitionOffset> revoked)
    {
        foreach (TopicPartitionOffset partition in revoked)
        {
            ReachedEnds.Remove(partition.Partition.Value);
            _unreadable.Remove(partition.Partition.Value);
            KafkaSourceLog.Revoked(_logger, _topic, partition.Partition.Value, _positions[_number, partition.Partition.Value]);
        }
    }

    private void TryStore(StreamPosition position)
    {
        try
        {
            _consumer.StoreOffset(new TopicPartitionOffset(position.Topic, position.Partition, position.NextOffset));
        }
        catch (KafkaException exception)
        {
            _onError(exception.Error); // Revoked in the meantime. Only the lag dashboard is delayed.
        }
    }
}
