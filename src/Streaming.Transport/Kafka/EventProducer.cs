using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka;

/// <summary>
/// Sends events and items in the contract's formats, as fast as the broker takes them: when too much is on its way,
/// sending waits. For replays, simulations and tests.
/// </summary>
public sealed class EventProducer : IDisposable
{
    private readonly IProducer<byte[], byte[]?> _producer;
    private readonly KafkaOptions _options;
    private readonly Action<DeliveryReport<byte[], byte[]?>> _onDelivered;
    private long _sent;
    private long _delivered;
    private Exception? _failure;

    /// <summary>Creates a producer.</summary>
    /// <param name="options">How to reach Kafka, the topics and their formats.</param>
    /// <exception cref="KafkaSourceException">A format is Registry, in which nothing is written here.</exception>
    public EventProducer(KafkaOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.InteractionsFormat == RecordFormat.Registry || options.ItemsFormat == RecordFormat.Registry)
        {
            throw new KafkaSourceException("Kafka__InteractionsFormat or Kafka__ItemsFormat is Registry; allowed for sending: Protobuf, Json.");
        }

        _options = options;
        _onDelivered = OnDelivered;
        _producer = new ProducerBuilder<byte[], byte[]?>(KafkaClientSettings.Producer(options)).SetLogHandler(static (_, _) => { }).Build();
    }

    /// <summary>Gets how many records were sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Gets how many records the broker has confirmed.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Sends an event, keyed by its user.</summary>
    /// <param name="interaction">The event.</param>
    /// <param name="producedTime">The record's time, Unix milliseconds; null: now.</param>
    /// <exception cref="KafkaSourceException">A record sent before could not be delivered.</exception>
    public void Send(Interaction interaction, long? producedTime = null)
    {
        ArgumentNullException.ThrowIfNull(interaction);
        byte[] value = _options.InteractionsFormat == RecordFormat.Protobuf ? interaction.ToByteArray() : ContractJson.Write(interaction);
        SendRaw(_options.InteractionsTopic, Encoding.UTF8.GetBytes(interaction.UserId), value, producedTime);
    }

    /// <summary>Sends an item, keyed by its id.</summary>
    public void Send(Item item)
    {
        ArgumentNullException.ThrowIfNull(item);
        byte[] value = _options.ItemsFormat == RecordFormat.Protobuf ? item.ToByteArray() : ContractJson.Write(item);
        SendRaw(_options.ItemsTopic, Encoding.UTF8.GetBytes(item.ItemId), value, null);
    }

    /// <summary>Says that an item is gone.</summary>
    public void SendRemoval(string itemId) => SendRaw(_options.ItemsTopic, Encoding.UTF8.GetBytes(itemId), null, null);

    /// <summary>Sends any bytes.</summary>
    /// <param name="topic">Where to.</param>
    /// <param name="key">The key, which chooses the partition; empty: any.</param>
    /// <param name="value">The value, or null.</param>
    /// <param name="producedTime">The record's time, Unix milliseconds; null: now.</param>
    /// <param name="partition">The partition; null: by key.</param>
    public void SendRaw(string topic, byte[] key, byte[]? value, long? producedTime, int? partition = null)
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw failure;
        }

        Message<byte[], byte[]?> message = new() { Key = key, Value = value };
        if (producedTime is long time)
        {
            message.Timestamp = new Timestamp(time, TimestampType.CreateTime);
        }

        TopicPartition destination = new(topic, partition ?? Partition.Any);
        while (true)
        {
            try
            {
                _producer.Produce(destination, message, _onDelivered);
                Interlocked.Increment(ref _sent);
                return;
            }
            catch (ProduceException<byte[], byte[]?> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                // Back-pressure: wait for the broker to take some.
                _producer.Flush(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    /// <summary>Waits until everything sent has been confirmed.</summary>
    /// <exception cref="KafkaSourceException">A record could not be delivered.</exception>
    public void Flush(CancellationToken cancellationToken)
    {
        _producer.Flush(cancellationToken);
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _producer.Dispose();

    private void OnDelivered(DeliveryReport<byte[], byte[]?> report)
    {
        if (report.Error.IsError)
        {
            Volatile.Write(ref _failure, new KafkaSourceException($"A record could not be delivered to topic '{report.Topic}': {report.Error.Reason}.", new KafkaException(report.Error)));
        }
        else
        {
            Interlocked.Increment(ref _delivered);
        }
    }
}
