using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Streaming.Core;

namespace Streaming.Transport;

/// <summary>
/// Sends records that cannot be used to the dead-letter topic: original key and value, and the headers <c>reason</c>,
/// <c>topic</c>, <c>partition</c>, <c>offset</c>. A value that the broker refuses for its size is sent again cut off, with a header
/// <c>truncated-from</c>.
/// </summary>
internal sealed class DeadLetterProducer : IDisposable
{
    private const int TruncatedBytes = 16 * 1024;
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly string _topic;
    private int _pending;
    private Exception? _failure;

    public DeadLetterProducer(KafkaOptions options)
    {
        _topic = options.DeadLetterTopic;
        ProducerConfig config = KafkaClientSettings.Producer(options);
        if (config.Get("message.max.bytes") is null)
        {
            // Ours must not be the limit; the topic's is.
            config.MessageMaxBytes = 100_000_000;
        }

        _producer = new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler(static (_, _) => { }).Build();
    }

    /// <summary>Gets a value indicating whether everything that was sent has arrived.</summary>
    /// <exception cref="KafkaSourceException">Something could not be delivered.</exception>
    public bool IsDelivered
    {
        get
        {
            Exception? failure = Volatile.Read(ref _failure);
            return failure is null ? Volatile.Read(ref _pending) == 0 : throw failure;
        }
    }

    public void Send(byte[]? key, byte[]? value, DeadLetterReason reason, string topic, int partition, long offset)
    {
        Headers headers = new()
        {
            { "reason", Encoding.UTF8.GetBytes(reason.ToString()) },
            { "topic", Encoding.UTF8.GetBytes(topic) },
            { "partition", Text(partition) },
            { "offset", Text(offset) },
        };
        Interlocked.Increment(ref _pending);
        Produce(new Message<byte[]?, byte[]?> { Key = key, Value = value, Headers = headers });
    }

    /// <summary>Waits a little for deliveries.</summary>
    public void Wait(TimeSpan time) => _producer.Flush(time);

    public void Dispose() => _producer.Dispose();

    private static byte[] Text(long number) => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    private void Produce(Message<byte[]?, byte[]?> message)
    {
        while (true)
        {
            try
            {
                _producer.Produce(_topic, message, OnDelivered);
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                _producer.Flush(TimeSpan.FromMilliseconds(100));
            }
            catch (ProduceException<byte[]?, byte[]?> exception) when (IsTooLarge(exception.Error) && message.Value!.Length > TruncatedBytes)
            {
                message = Truncate(message);
            }
        }
    }

    private void OnDelivered(DeliveryReport<byte[]?, byte[]?> report)
    {
        if (IsTooLarge(report.Error) && report.Message.Value is { Length: > TruncatedBytes })
        {
            ProduceAgain(Truncate(report.Message));
            return;
        }

        if (report.Error.IsError)
        {
            Fail(report.Error);
        }

        Interlocked.Decrement(ref _pending);
    }

    // On the client's own thread, which must not wait for itself.
    private void ProduceAgain(Message<byte[]?, byte[]?> message)
    {
        try
        {
            _producer.Produce(_topic, message, OnDelivered);
        }
        catch (KafkaException exception)
        {
            Fail(exception.Error);
            Interlocked.Decrement(ref _pending);
        }
    }

    private void Fail(Error error) => Volatile.Write(
        ref _failure,
        new KafkaSourceException($"A dead letter could not be delivered to topic '{_topic}': {error.Reason}. Its record keeps its place in the stream.", new KafkaException(error)));

    private static bool IsTooLarge(Error error) => error.Code is ErrorCode.MsgSizeTooLarge;

    private static Message<byte[]?, byte[]?> Truncate(Message<byte[]?, byte[]?> message)
    {
        message.Headers.Add("truncated-from", Text(message.Value!.Length));
        return new Message<byte[]?, byte[]?> { Key = message.Key, Value = message.Value[..TruncatedBytes], Headers = message.Headers };
    }
}
