using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Transport.Kafka.Records;

/// <summary>What is done with a record of the items topic. On the reading thread.</summary>
/// <param name="options">The topic and its format.</param>
/// <param name="limits">Bounds of catalogue records.</param>
/// <param name="batcher">Takes the changes.</param>
/// <param name="send">Sends a dead letter; false: it could not be sent before the end.</param>
/// <param name="rejections">Counts what could not be used.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Log.</param>
internal sealed class CatalogueIntake(
    KafkaOptions options, ItemLimits limits, Batcher batcher, Func<Message<byte[]?, byte[]?>, bool> send, RejectionCounts rejections, TimeProvider time, ILogger logger)
{
    private readonly ItemDecoder _decoder = new(options.ItemsFormat, options.MaxRecordBytes, limits, MappingCheck.Items(options));
    private readonly KafkaRecordOrigin _origin = new();

    /// <summary>Gets the number of records that could not be used.</summary>
    public long Rejected { get; private set; }

    /// <summary>Gets the number of changes taken in.</summary>
    public long Changes { get; private set; }

    /// <summary>Takes a record in and moves its partition's position past it.</summary>
    public void Take(ConsumeResult<RecordBuffer, RecordBuffer> record)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        if (offset < batcher.Positions[TopicNumber.Items, partition])
        {
            return;
        }

        RecordBuffer key = record.Message.Key;
        RecordBuffer value = record.Message.Value;
        long producedTime = RecordTime.Of(record, time);
        DeadLetterReason reason = _decoder.Decode(key.Bytes, value.Bytes, value.IsNull, producedTime, out ItemChange? change, _origin.At(record.Message, producedTime));
        if (change is not null)
        {
            Changes++;
            batcher.Add(change);
        }
        else
        {
            Rejected++;
            rejections.Add(reason);
            KafkaSourceLog.Rejected(logger, options.ItemsTopic, partition, offset, reason.ToString());
            if (!send(DeadLetterProducer.Create(key.ToArray(), value.ToArray(), reason, options.ItemsTopic, partition, offset)))
            {
                return;
            }
        }

        batcher.Advance(TopicNumber.Items, partition, offset);
    }
}
