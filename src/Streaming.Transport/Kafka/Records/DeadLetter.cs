using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Transport.Kafka.Records;

/// <summary>
/// Makes dead letters: the original key and value, the original's headers where they were read, and headers that say where it stood and why
/// it is refused.
/// </summary>
internal static class DeadLetter
{
    /// <summary>Makes a dead letter of a record.</summary>
    /// <param name="topic">The record's topic, which the client is not asked for with each.</param>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why it is refused.</param>
    /// <param name="explanation">Why, in words.</param>
    /// <param name="reader">Who refuses it: the consumer group.</param>
    public static Message<byte[]?, byte[]?> Of(
        string topic,
        ConsumeResult<RecordBuffer, RecordBuffer> record,
        DeadLetterReason reason,
        string explanation,
        string reader
    )
    {
        Message<RecordBuffer, RecordBuffer> message = record.Message;
        Message<byte[]?, byte[]?> letter = Create(
            message.Key.ToArray(),
            message.Value.ToArray(),
            reason,
            explanation,
            new TopicPartitionOffset(topic, record.Partition, record.Offset),
            reader,
            message.Timestamp.Type == TimestampType.NotAvailable ? null : message.Timestamp.UnixTimestampMs
        );
        if (message.Headers is { Count: > 0 } original)
        {
            // The last header of a name counts, and ours must.
            Headers ours = letter.Headers;
            letter.Headers = [];
            foreach (IHeader header in original.Concat(ours))
            {
                letter.Headers.Add(header.Key, header.GetValueBytes());
            }
        }

        return letter;
    }

    /// <summary>Makes a dead letter.</summary>
    public static Message<byte[]?, byte[]?> Create(
        byte[]? key,
        byte[]? value,
        DeadLetterReason reason,
        string explanation,
        TopicPartitionOffset origin,
        string reader,
        long? timestamp = null
    )
    {
        string partition = Text(origin.Partition.Value);
        string offset = Text(origin.Offset.Value);
        Headers headers = [];
        void Add(string name, string text) => headers.Add(name, Encoding.UTF8.GetBytes(text));

        Add(DeadLetterHeaders.Reason, reason.ToString());
        Add(DeadLetterHeaders.Topic, origin.Topic);
        Add(DeadLetterHeaders.Partition, partition);
        Add(DeadLetterHeaders.Offset, offset);
        if (timestamp is long time)
        {
            Add(DeadLetterHeaders.Timestamp, Text(time));
        }

        Add(DeadLetterHeaders.Connect + "topic", origin.Topic);
        Add(DeadLetterHeaders.Connect + "partition", partition);
        Add(DeadLetterHeaders.Connect + "offset", offset);
        Add(DeadLetterHeaders.Connect + "connector.name", reader);
        Add(DeadLetterHeaders.Connect + "task.id", "0");
        Add(DeadLetterHeaders.Connect + "stage", IsOfFormat(reason) ? "VALUE_CONVERTER" : "TASK_PUT");
        Add(DeadLetterHeaders.Connect + "class.name", "Streaming.Transport.Kafka.KafkaSource");
        Add(DeadLetterHeaders.Connect + "exception.class.name", $"{typeof(DeadLetterReason).FullName}.{reason}");
        Add(DeadLetterHeaders.Message, explanation);
        return new Message<byte[]?, byte[]?>
        {
            Key = key,
            Value = value,
            Headers = headers,
        };
    }

    /// <summary>A number as headers hold it.</summary>
    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static bool IsOfFormat(DeadLetterReason reason) =>
        reason
            is DeadLetterReason.Empty
                or DeadLetterReason.TooLarge
                or DeadLetterReason.Malformed
                or DeadLetterReason.BadWireHeader
                or DeadLetterReason.UnknownSchema;
}
