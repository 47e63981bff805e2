using Confluent.Kafka;
using Streaming.Core;

namespace Streaming.Transport;

/// <content>What is done with a record.</content>
public sealed partial class KafkaSource
{
    private void Take(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        if (HasHadItsEffect(_options.InteractionsTopic, Interactions, partition, offset))
        {
            return;
        }

        DeadLetterReason reason = AddEvent(record);
        if (reason != DeadLetterReason.None)
        {
            Interlocked.Increment(ref _rejections[(int)reason]);
            _deadLetters.Send(record.Message.Key.ToArray(), record.Message.Value.ToArray(), reason, _options.InteractionsTopic, partition, offset);
        }

        _batcher.Advance(Interactions, partition, offset);
        _rate.Count(reason);
    }

    // What a client reads again after a hiccup must not count twice. But where it may go back to the oldest record by
    // itself, a smaller offset means that the topic is another one, and leaving its records out would lose them.
    private bool HasHadItsEffect(string topic, int number, int partition, long offset)
    {
        long position = _batcher.Positions[number, partition];
        return offset < position && _options.SkipMissing
            ? throw new KafkaSourceException($"{topic}[{partition}] ends before {position}, from which to go on (it has a record at {offset}): it was cut or created anew. Start a new model, or restore the topic.")
            : offset < position;
    }

    private DeadLetterReason AddEvent(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        DeadLetterReason reason = _decoder.Decode(record.Message.Value.Bytes, out InteractionEvent decoded);
        if (reason != DeadLetterReason.None)
        {
            _batcher.Reject();
            return reason;
        }

        reason = _batcher.Add(decoded, ProducedTime(record));
        if (reason == DeadLetterReason.None)
        {
            NoteEventTime(record.Partition.Value, decoded.EventTime);
        }

        return reason;
    }

    // A producer's clock that is ahead would empty the dedup window and show negative freshness.
    private long ProducedTime(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        Timestamp timestamp = record.Message.Timestamp;
        return timestamp.Type == TimestampType.NotAvailable ? now : Math.Clamp(timestamp.UnixTimestampMs, 0, now);
    }

    private void NoteEventTime(int partition, long time)
    {
        while (_newestTimes.Count <= partition)
        {
            _newestTimes.Add(0);
        }

        _newestTimes[partition] = Math.Max(_newestTimes[partition], time);
    }

    private bool ReadItem(PartitionReader reader, TimeSpan timeout)
    {
        ConsumeResult<RecordBuffer, RecordBuffer>? record = reader.Poll(timeout);
        if (record is null)
        {
            return false;
        }

        SetDegraded(null);
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        if (HasHadItsEffect(_options.ItemsTopic, Items, partition, offset))
        {
            return true;
        }

        RecordBuffer value = record.Message.Value;
        DeadLetterReason reason = _itemDecoder.Decode(record.Message.Key.Bytes, value.Bytes, value.IsNull, ProducedTime(record), out ItemChange? change);
        if (change is not null)
        {
            _batcher.Add(change);
        }
        else
        {
            _rejectedItems++;
            Interlocked.Increment(ref _rejections[(int)reason]);
            KafkaSourceLog.Rejected(_logger, _options.ItemsTopic, partition, offset, reason.ToString());
            _deadLetters.Send(record.Message.Key.ToArray(), value.ToArray(), reason, _options.ItemsTopic, partition, offset);
        }

        _batcher.Advance(Items, partition, offset);
        return true;
    }
}
