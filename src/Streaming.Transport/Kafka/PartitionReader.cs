using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core;

namespace Streaming.Transport;

/// <summary>One consumer of one topic, whose reading always goes on at the live positions. Not for several threads at once.</summary>
internal sealed class PartitionReader : IDisposable
{
    private readonly string _topic;
    private readonly int _number;
    private readonly StreamPositions _positions;
    private readonly Action<Error> _onError;
    private readonly ILogger _logger;
    private readonly IConsumer<RecordBuffer, RecordBuffer> _consumer;
    private readonly HashSet<int> _atEnd = [];
    private bool _assignmentChanged;
    private bool _isPaused;

    // A model that has seen nothing may begin at the end; partitions that appear later are read from their beginning.
    private readonly bool _beginsAtEnd;

    public PartitionReader(KafkaOptions options, string topic, int number, bool inGroup, int partitions, StreamPositions positions, Action<Error> onError, ILogger logger)
    {
        _topic = topic;
        _number = number;
        _positions = positions;
        _onError = onError;
        _logger = logger;
        IsInGroup = inGroup;
        PartitionCount = partitions;
        _beginsAtEnd = number == KafkaSource.Interactions && options.StartFrom == KafkaStart.Latest && positions.PartitionCount(number) == 0;

        // A consumer that assigns its partitions itself may not commit to a group that has members.
        bool isCatalogue = number == KafkaSource.Items;
        string groupId = isCatalogue ? options.GroupId + ".items" : options.GroupId;
        _consumer = new ConsumerBuilder<RecordBuffer, RecordBuffer>(KafkaClientSettings.Consumer(options, groupId, reportsEnd: isCatalogue))
            .SetKeyDeserializer(new RecordBuffer())
            .SetValueDeserializer(new RecordBuffer())
            .SetErrorHandler((_, error) => onError(error))
            .SetLogHandler((_, line) => KafkaClientLog.Pass(line, onError))
            .SetPartitionsAssignedHandler((_, assigned) => OnAssigned(assigned))
            .SetPartitionsRevokedHandler((_, revoked) => OnRevoked(revoked))
            .SetPartitionsLostHandler((_, lost) => OnRevoked(lost))
            .Build();
    }

    public bool IsInGroup { get; }

    public bool IsStarted { get; private set; }

    /// <summary>Gets the number of partitions that the topic is known to have.</summary>
    public int PartitionCount { get; private set; }

    /// <summary>Gets a value indicating whether every partition has been read to its end since the start.</summary>
    public bool IsAtEnd => _atEnd.Count >= PartitionCount;

    public void Start()
    {
        IsStarted = true;
        if (IsInGroup)
        {
            _consumer.Subscribe(_topic);
        }
        else
        {
            AssignAll();
        }
    }

    /// <summary>Takes up partitions that have been added to the topic. Static assignment only: a group does it by itself.</summary>
    public void Extend(int partitions)
    {
        if (partitions > PartitionCount)
        {
            PartitionCount = partitions;
            AssignAll();
        }
    }

    /// <summary>Waits for the next record.</summary>
    /// <returns>The record, valid until the next call; null: none came in time.</returns>
    /// <exception cref="KafkaSourceException">Reading cannot go on.</exception>
    public ConsumeResult<RecordBuffer, RecordBuffer>? Poll(TimeSpan timeout)
    {
        try
        {
            ConsumeResult<RecordBuffer, RecordBuffer>? record = _consumer.Consume((int)timeout.TotalMilliseconds);
            ApplyPauseToNewPartitions();

            // The end of a partition is news, not the end of what is here: records may stand in line behind it, and one
            // call for each such news would fall behind a topic to which something is added all the time.
            while (record is { IsPartitionEOF: true })
            {
                _atEnd.Add(record.Partition.Value);
                record = _consumer.Consume(0);
            }

            return record;
        }
        catch (ConsumeException exception) when (exception.Error.Code == ErrorCode.Local_AutoOffsetReset)
        {
            throw Missing(exception);
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            _onError(exception.Error);
            return null;
        }
        catch (ConsumeException exception)
        {
            throw new KafkaSourceException($"The Kafka client gave up on topic '{_topic}': {exception.Error.Reason}.", exception);
        }
    }

    /// <summary>Puts a record back that came although its partition should have been paused: it will be read again.</summary>
    public void GiveBack(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        _consumer.Seek(new TopicPartitionOffset(_topic, record.Partition, record.Offset));
        Pause();
    }

    /// <summary>Stops fetching; polling may go on, and must, for the group to hold on to this member.</summary>
    public void Pause()
    {
        _isPaused = true;
        _consumer.Pause(_consumer.Assignment);
    }

    /// <summary>Fetches again.</summary>
    public void Resume()
    {
        _isPaused = false;
        _consumer.Resume(_consumer.Assignment);
    }

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
        if (!IsStarted)
        {
            return;
        }

        foreach (TopicPartition partition in _consumer.Assignment)
        {
            long end = _consumer.GetWatermarkOffsets(partition).High.Value;
            long position = Math.Max(0, _positions[_number, partition.Partition.Value]);
            lags.Add(new PartitionLag(_topic, partition.Partition.Value, end < 0 ? -1 : Math.Max(0, end - position)));
        }
    }

    /// <summary>Leaves the group, so that others need not wait for the session to time out.</summary>
    public void Close()
    {
        if (IsStarted)
        {
            _consumer.Close();
        }
    }

    public void Dispose() => _consumer.Dispose();

    // The client knows a pause by partition, and a partition may come back from another member as it went: paused, when
    // nobody is there any more to resume it, or not paused, while the trainer is behind.
    private void ApplyPauseToNewPartitions()
    {
        if (!_assignmentChanged)
        {
            return;
        }

        _assignmentChanged = false;
        if (_isPaused)
        {
            Pause();
        }
        else
        {
            Resume();
        }
    }

    private void AssignAll() => _consumer.Assign(OnAssigned([.. Enumerable.Range(0, PartitionCount).Select(partition => new TopicPartition(_topic, partition))]));

    private List<TopicPartitionOffset> OnAssigned(List<TopicPartition> assigned)
    {
        _assignmentChanged = true;
        return assigned.ConvertAll(partition => new TopicPartitionOffset(partition, StartOf(partition)));
    }

    private Offset StartOf(TopicPartition partition)
    {
        int number = partition.Partition.Value;
        long position = _positions[_number, number];
        if (position < 0 && _beginsAtEnd && number < PartitionCount)
        {
            // Held as a position at once: a restart before the first event must begin here too.
            position = _consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(10)).High.Value;
            _positions.Set(_number, number, position);
        }

        KafkaSourceLog.Assigned(_logger, _topic, number, Math.Max(0, position));
        return position >= 0 ? position : Offset.Beginning;
    }

    private void OnRevoked(List<TopicPartitionOffset> revoked)
    {
        foreach (TopicPartitionOffset partition in revoked)
        {
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

    private KafkaSourceException Missing(ConsumeException exception)
    {
        int partition = exception.ConsumerRecord.Partition.Value;
        return new KafkaSourceException(
            $"The record at {_topic}[{partition}]@{_positions[_number, partition]}, from which to go on, is no longer there ({exception.Error.Reason}): retention has deleted it. "
            + "Restore it, or set Kafka:SkipMissing to go on with the oldest record there is.", exception);
    }
}
