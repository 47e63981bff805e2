using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka;

/// <summary>
/// Produces events and items in the contract's formats as fast as the broker accepts them; blocks while its queue is
/// full. For replays, simulations and tests.
/// </summary>
public sealed class EventProducer : IDisposable
{
    private readonly IProducer<byte[], byte[]?> _producer;
    private readonly KafkaOptions _options;
    private readonly Action<DeliveryReport<byte[], byte[]?>> _onDelivered;
    private long _sent;
    private long _delivered;
    private long _progress;
    private string _lastError = string.Empty;
    private string _topic = string.Empty;
    private Exception? _failure;

    /// <summary>Creates a producer.</summary>
    /// <param name="options">Connection, topics and formats.</param>
    /// <exception cref="KafkaSourceException">A format is Registry, in which nothing is written here.</exception>
    public EventProducer(KafkaOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.InteractionsFormat == RecordFormat.Registry || options.ItemsFormat == RecordFormat.Registry)
        {
            throw new KafkaSourceException(
                "STREAMING__Kafka__InteractionsFormat or STREAMING__Kafka__ItemsFormat is Registry; allowed for sending: Protobuf, Json."
            );
        }

        _options = options;
        _onDelivered = OnDelivered;
        _producer = new ProducerBuilder<byte[], byte[]?>(KafkaClientSettings.Producer(options))
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler((_, error) => Note(error))
            .Build();
        _progress = Environment.TickCount64;
    }

    /// <summary>Gets how long the brokers may confirm nothing while records wait; infinite by default.</summary>
    public TimeSpan Patience { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Gets what ends waiting for room.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>Gets the number of records sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Gets the number of records acknowledged by the broker.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Sends an event, keyed by its user.</summary>
    /// <param name="interaction">The event.</param>
    /// <param name="producedTime">The record's timestamp, Unix milliseconds; null: now.</param>
    /// <exception cref="KafkaSourceException">An earlier record could not be delivered.</exception>
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

    /// <summary>Sends an item's deletion (a tombstone).</summary>
    public void SendRemoval(string itemId) => SendRaw(_options.ItemsTopic, Encoding.UTF8.GetBytes(itemId), null, null);

    /// <summary>Sends arbitrary bytes.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The key, which selects the partition; empty: any.</param>
    /// <param name="value">The value, or null.</param>
    /// <param name="producedTime">The record's timestamp, Unix milliseconds; null: now.</param>
    /// <param name="partition">The partition; null: by key.</param>
    /// <param name="headers">Headers; null: none.</param>
    public void SendRaw(string topic, byte[] key, byte[]? value, long? producedTime, int? partition = null, Headers? headers = null)
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw failure;
        }

        Message<byte[], byte[]?> message = new()
        {
            Key = key,
            Value = value,
            Headers = headers,
        };
        if (producedTime is long time)
        {
            message.Timestamp = new Timestamp(time, TimestampType.CreateTime);
        }

        _topic = topic;
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
                // Back-pressure: wait until the broker has accepted some.
                Stopping.ThrowIfCancellationRequested();
                Wait(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    /// <summary>Waits until every record sent is acknowledged.</summary>
    /// <exception cref="KafkaSourceException">A record could not be delivered.</exception>
    /// <exception cref="KafkaUnavailableException">The brokers confirm nothing for longer than <see cref="Patience"/>.</exception>
    public void Flush(CancellationToken cancellationToken)
    {
        while (Wait(TimeSpan.FromMilliseconds(100)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _producer.Dispose();

    /// <returns>How many records wait still.</returns>
    private int Wait(TimeSpan time)
    {
        int waiting = _producer.Flush(time);
        if (waiting == 0)
        {
            Volatile.Write(ref _progress, Environment.TickCount64);
        }
        else if (
            Patience != Timeout.InfiniteTimeSpan
            && Environment.TickCount64 - Volatile.Read(ref _progress) > Patience.TotalMilliseconds
        )
        {
            string why = Volatile.Read(ref _lastError);
            throw new KafkaUnavailableException(
                $"no answer from Kafka at {_options.BootstrapServers} for {Patience.TotalSeconds:0} "
                    + $"s{(why.Length > 0 ? $" ({why})" : string.Empty)}; {waiting} records of topic '{_topic}' "
                    + "wait. Set STREAMING__Kafka__BootstrapServers."
            );
        }

        return waiting;
    }

    // That all brokers are down says nothing of why; the error before it does.
    private void Note(Error error)
    {
        if (error.Code != ErrorCode.Local_AllBrokersDown)
        {
            Volatile.Write(ref _lastError, error.Reason);
        }
    }

    private void OnDelivered(DeliveryReport<byte[], byte[]?> report)
    {
        if (report.Error.IsError)
        {
            Volatile.Write(
                ref _failure,
                new KafkaSourceException(
                    $"A record could not be delivered to topic '{report.Topic}': {report.Error.Reason}.",
                    new KafkaException(report.Error)
                )
            );
        }
        else
        {
            Interlocked.Increment(ref _delivered);
            Volatile.Write(ref _progress, Environment.TickCount64);
        }
    }
}
