using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Tracing;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Transport.Kafka.Registry;

namespace Streaming.Transport.Kafka.Records;

/// <summary>What is done with a record of the interactions topic. On the reading thread.</summary>
/// <param name="options">The topic, its format, how many dead letters are allowed.</param>
/// <param name="schemas">The schemas that values name, where the format is Registry.</param>
/// <param name="batcher">Takes the events.</param>
/// <param name="emit">Ends the batch under way and hands it on; false: it could not be before the end.</param>
/// <param name="rejections">Takes what cannot be used.</param>
/// <param name="time">The clock.</param>
internal sealed class EventIntake(
    KafkaOptions options,
    RegistrySchemas? schemas,
    Batcher batcher,
    Func<bool> emit,
    Rejections rejections,
    TimeProvider time
)
{
    private readonly EventDecoder _decoder = new(options.InteractionsFormat, options.MaxRecordBytes);
    private readonly MappedIntake? _mapped = MappingCheck.AreEventsMapped(options)
        ? new MappedIntake(
            new MappedEventDecoder(
                MappingCheck.Events(options),
                MappingCheck.Times(options),
                options.MaxRecordBytes,
                options.InteractionsFormat == RecordFormat.Registry ? schemas : null
            ),
            batcher,
            emit
        )
        : null;
    private readonly List<long> _newestTimes = [];

    /// <summary>Gets how many good records held no event: deleted rows, empty lists. Any thread.</summary>
    public long Skipped => _mapped?.Skipped ?? 0;

    /// <summary>Takes a record in and moves its partition's position past it.</summary>
    public void Take(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;

        // What a client reads again after a hiccup must not count twice.
        if (offset < batcher.Positions[TopicNumber.Interactions, partition])
        {
            return;
        }

        Activity? trace = StreamTracing.Source.HasListeners() ? StartTrace(record) : null;
        int room = batcher.Room;
        if (!TryAdd(record, out DeadLetterReason reason))
        {
            StreamTracing.EndRecord(trace, "not read");
            return;
        }

        if (reason != DeadLetterReason.None)
        {
            StreamTracing.EndRecord(trace, $"dead-lettered: {reason}");
        }
        else if (trace is not null)
        {
            batcher.Trace(trace, room);
        }

        string explanation = reason == DeadLetterReason.None ? string.Empty : ShortText.Line(Explain(record.Message.Value.Bytes, reason));
        if (reason != DeadLetterReason.None && !rejections.Reject(record, reason, explanation))
        {
            return;
        }

        batcher.Advance(TopicNumber.Interactions, partition, offset);
        rejections.Watch(reason, explanation);
    }

    /// <summary>The smallest, over partitions, of the newest event time read, Unix milliseconds; 0 when nothing was read.</summary>
    public long Watermark(IEnumerable<int> partitions) =>
        partitions
            .Select(partition => partition < _newestTimes.Count ? _newestTimes[partition] : 0)
            .Where(static newest => newest > 0)
            .DefaultIfEmpty(0)
            .Min();

    private Activity? StartTrace(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        string? parent =
            record.Message.Headers?.TryGetLastBytes("traceparent", out byte[] header) == true ? Encoding.ASCII.GetString(header) : null;
        return StreamTracing.StartRecord(parent, options.InteractionsTopic, record.Partition.Value, record.Offset.Value);
    }

    private bool TryAdd(ConsumeResult<RecordBuffer, RecordBuffer> record, out DeadLetterReason reason)
    {
        if (_mapped is null)
        {
            reason = Add(record);
            return true;
        }

        if (!_mapped.TryAdd(record, RecordTime.Of(record, time), out reason, out long newest))
        {
            return false;
        }

        NoteEventTime(record.Partition.Value, newest);
        return true;
    }

    private DeadLetterReason Add(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        DeadLetterReason reason = _decoder.Decode(record.Message.Value.Bytes, out InteractionEvent decoded);
        if (reason != DeadLetterReason.None)
        {
            batcher.Reject();
            return reason;
        }

        reason = batcher.Add(decoded, RecordTime.Of(record, time), record.Partition.Value);
        if (reason == DeadLetterReason.None)
        {
            NoteEventTime(record.Partition.Value, decoded.EventTime);
        }

        return reason;
    }

    private string Explain(ReadOnlySpan<byte> value, DeadLetterReason reason)
    {
        if (_mapped is not null)
        {
            return _mapped.Explain(value, reason);
        }

        if (_decoder.Explain(value, reason) is { } fault)
        {
            return fault;
        }

        _decoder.Decode(value, out InteractionEvent decoded);
        return batcher.Explain(decoded, reason);
    }

    private void NoteEventTime(int partition, long eventTime)
    {
        while (_newestTimes.Count <= partition)
        {
            _newestTimes.Add(0);
        }

        _newestTimes[partition] = Math.Max(_newestTimes[partition], eventTime);
    }
}
