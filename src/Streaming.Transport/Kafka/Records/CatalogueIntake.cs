using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Transport.Kafka.Registry;

namespace Streaming.Transport.Kafka.Records;

/// <summary>What is done with a record of the items topic. On the reading thread.</summary>
/// <param name="options">The topic and its format.</param>
/// <param name="schemas">The schemas that values name, where the format is Registry.</param>
/// <param name="limits">Bounds of catalogue records.</param>
/// <param name="batcher">Takes the changes.</param>
/// <param name="rejections">Takes what cannot be used.</param>
/// <param name="time">The clock.</param>
internal sealed class CatalogueIntake(
    KafkaOptions options,
    RegistrySchemas? schemas,
    ItemLimits limits,
    Batcher batcher,
    Rejections rejections,
    TimeProvider time
)
{
    private readonly ItemDecoder _decoder = new(
        options.ItemsFormat,
        options.MaxRecordBytes,
        limits,
        MappingCheck.Items(options),
        options.ItemsFormat == RecordFormat.Registry ? schemas : null
    );
    private readonly KafkaRecordOrigin _origin = new();

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
        DeadLetterReason reason = _decoder.Decode(
            key.Bytes,
            value.Bytes,
            value.IsNull,
            producedTime,
            out ItemChange? change,
            _origin.At(record.Message, producedTime)
        );
        string explanation = change is null ? ShortText.Line(_decoder.Explain(value.Bytes, reason)) : string.Empty;
        if (change is not null)
        {
            Changes++;
            batcher.Add(change);
        }
        else if (!rejections.Reject(record, reason, explanation))
        {
            return;
        }

        batcher.Advance(TopicNumber.Items, partition, offset);
        rejections.Watch(reason, explanation);
    }
}
