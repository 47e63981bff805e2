using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Takes records of the interactions topic in by a mapping: all events of a record into one batch, or none. On the reading thread.
/// </summary>
/// <param name="decoder">Makes events of records.</param>
/// <param name="batcher">Takes them.</param>
/// <param name="emit">Ends the batch under way and hands it on, so that the next has room; false: it could not be before the end.</param>
internal sealed class MappedIntake(MappedEventDecoder decoder, Batcher batcher, Func<bool> emit)
{
    private readonly KafkaRecordOrigin _origin = new();
    private long _skipped;
    private int? _refused; // The event that breaks a rule; their count: there are too many of them.

    /// <summary>Gets how many good records held no event: deleted rows, empty lists. Any thread.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    /// <summary>Says what is wrong with the record that was refused last.</summary>
    public string Explain(ReadOnlySpan<byte> value, DeadLetterReason reason)
    {
        if (_refused is not int index)
        {
            return decoder.Explain(value, reason);
        }

        if (index == decoder.Count)
        {
            return FormattableString.Invariant(
                $"the record holds {decoder.Count} events; allowed: at most {batcher.Capacity} (STREAMING__Batching__BatchSize)"
            );
        }

        InteractionEvent decoded = decoder[index];
        return batcher.Explain(decoded, reason);
    }

    /// <summary>Takes a record in.</summary>
    /// <param name="record">The record.</param>
    /// <param name="producedTime">When it was produced, Unix milliseconds.</param>
    /// <param name="reason">Why it is refused.</param>
    /// <param name="newest">The newest event time in it, or 0.</param>
    /// <returns>False when there was no room, and will not be any more: the record is to be read again after the next start.</returns>
    public bool TryAdd(ConsumeResult<RecordBuffer, RecordBuffer> record, long producedTime, out DeadLetterReason reason, out long newest)
    {
        newest = 0;
        _refused = null;
        RecordBuffer value = record.Message.Value;
        reason = decoder.Decode(value.Bytes, value.IsNull, _origin.At(record.Message, producedTime));
        if (reason == DeadLetterReason.None)
        {
            reason = Check();
        }

        if (reason != DeadLetterReason.None)
        {
            batcher.Reject();
            return true;
        }

        if (decoder.Count == 0)
        {
            Volatile.Write(ref _skipped, _skipped + 1);
            return true;
        }

        // The position moves past a record at once, so its events must not be in two batches.
        if (decoder.Count > batcher.Room && !emit())
        {
            return false;
        }

        for (int i = 0; i < decoder.Count; i++)
        {
            InteractionEvent decoded = decoder[i];
            batcher.Add(decoded, producedTime, record.Partition.Value);
            newest = Math.Max(newest, decoded.EventTime);
        }

        return true;
    }

    private DeadLetterReason Check()
    {
        if (decoder.Count > batcher.Capacity)
        {
            _refused = decoder.Count;
            return DeadLetterReason.TooLarge;
        }

        for (int i = 0; i < decoder.Count; i++)
        {
            InteractionEvent decoded = decoder[i];
            DeadLetterReason reason = batcher.Check(decoded);
            if (reason != DeadLetterReason.None)
            {
                _refused = i;
                return reason;
            }
        }

        return DeadLetterReason.None;
    }
}
