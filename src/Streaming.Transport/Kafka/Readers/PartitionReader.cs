using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Transport.Kafka.Readers;

/// <summary>One consumer of one topic, whose reading always continues at the live positions. Not for several threads at once.</summary>
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

    /// <summary>Creates a reader; nothing is read before <see cref="Start"/>.</summary>
    /// <param name="options">How to reach Kafka.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="number">Its number in <paramref name="positions"/>.</param>
    /// <param name="positions">The live positions.</param>
    /// <param name="onError">Told what the client reports; on any thread.</param>
    /// <param name="logger">Log.</param>
    public PartitionReader(KafkaOptions options, string topic, int number, StreamPositions positions, Action<Error> onError, ILogger logger)
    {
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

    /// <summary>Gets a value indicating whether the consumer group says which partitions are read.</summary>
    public bool IsInGroup { get; }

    /// <summary>Gets a value indicating whether reading has begun.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>Gets a value indicating whether the group has assigned something since the start, or does not have to.</summary>
    public bool WasAssigned { get; private set; }

    /// <summary>Gets the number of partitions that the topic is known to have.</summary>
    public int PartitionCount { get; private set; }

    /// <summary>Gets the number of partitions that are read now.</summary>
    public int AssignedCount => IsStarted ? _consumer.Assignment.Count : 0;

    /// <summary>Gets the name by which the group knows this member; empty: it does not yet.</summary>
    public string MemberId => IsStarted ? _consumer.MemberId ?? string.Empty : string.Empty;

    /// <summary>Gets a value indicating whether every partition has been read to its end since the start.</summary>
    public bool IsAtEnd => IsStarted && _atEnd.Count >= PartitionCount;

    /// <summary>Gets the partitions that have no record at their position, and from which nothing comes until <see cref="ReassignUnreadable"/>.</summary>
    public IReadOnlyCollection<int> Unreadable => _unreadable;

    /// <summary>Gets ends of partitions that were reached and are not in the positions yet: no record lies before them. What does (markers
    /// of transactions, records of aborted ones) is never handed out, and would count as lag for ever.</summary>
    public Dictionary<int, long> ReachedEnds { get; } = [];

    /// <summary>Begins to read.</summary>
    /// <param name="partitions">The number of partitions that the topic has.</param>
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

    /// <summary>Takes up partitions that were added to the topic. A group assigns them by itself.</summary>
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
    /// <returns>The record, valid until the next call; null: none came in time.</returns>
    /// <exception cref="KafkaUnavailableException">The client gave up.</exception>
    public ConsumeResult<RecordBuffer, RecordBuffer>? Poll(TimeSpan timeout)
    {
        try
        {
            ConsumeResult<RecordBuffer, RecordBuffer>? record = _consumer.Consume((int)timeout.TotalMilliseconds);
            _gate.Apply();

            // The end of a partition is news, not the end of what is here: records may wait in line behind it, and one
            // call for each such news would fall behind a topic to which something is added all the time.
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
            throw new KafkaUnavailableException($"The Kafka client gave up on topic '{_topic}': {exception.Error.Reason}.", exception);
        }
    }

    /// <summary>Puts a record back that came although its partition should have been paused: it will be read again.</summary>
    public void GiveBack(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        ReachedEnds.Remove(record.Partition.Value);
        _consumer.Seek(new TopicPartitionOffset(_topic, record.Partition, record.Offset));
        Pause(true);
    }

    /// <summary>Reads what was unreadable from its positions, which are others by now. The client has dropped such partitions, and
    /// takes no seek to them: they are assigned again.</summary>
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

    /// <summary>Stops or resumes fetching. Polling may go on, and must, for the group to keep this member.</summary>
    public void Pause(bool paused) => _gate.Set(paused);

    /// <summary>Has positions committed in the background, of those partitions that this consumer holds.</summary>
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

    /// <summary>Adds the lag of each partition that is read now, as far as the client knows the ends.</summary>
    public void AddLags(List<PartitionLag> lags)
    {
        foreach ((int partition, long end) in Ends())
        {
            lags.Add(new PartitionLag(_topic, partition, end < 0 ? -1 : Math.Max(0, end - Math.Max(0, _positions[_number, partition]))));
        }
    }

    /// <summary>The end of each partition that is read now, as the client last heard of it; negative: it has not.</summary>
    public IEnumerable<(int Partition, long End)> Ends() => !IsStarted ? [] :
        _consumer.Assignment.Select(partition => (partition.Partition.Value, _consumer.GetWatermarkOffsets(partition).High.Value));

    /// <summary>Leaves the group, so that others need not wait for the session to time out.</summary>
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

    private void AssignAll() => _consumer.Assign(OnAssigned([.. Enumerable.Range(0, PartitionCount).Select(partition => new TopicPartition(_topic, partition))]));

    // With KIP-848 these are the partitions that came, otherwise all; the client adds or replaces accordingly.
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
            _onError(exception.Error); // Taken away meanwhile. The dashboard is late, nothing more.
        }
    }
}
