using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka.Records;

/// <summary>
/// Sends dead letters to their topic. A value that the broker refuses for its size is sent again cut off, with a header
/// <c>truncated-from</c>.
/// </summary>
internal sealed class DeadLetterProducer : IDisposable
{
    private const int TruncatedBytes = 16 * 1024;

    // The client itself retries without end: an outage is waited for. A refusal is not, once it has lasted this long.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RefusalLimit = TimeSpan.FromSeconds(30);

    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly string _topic;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<Message<byte[]?, byte[]?>> _refused = new();
    private int _pending;
    private bool _isRefused; // Of the thread that sends.
    private long _lastProgress;
    private Exception? _failure;

    public DeadLetterProducer(KafkaOptions options, Action<Error> onError, TimeProvider time)
    {
        _topic = options.DeadLetterTopic;
        _time = time;
        ProducerConfig config = KafkaClientSettings.Producer(options);
        if (config.Get("message.max.bytes") is null)
        {
            // Ours must not be the limit; the topic's is.
            config.MessageMaxBytes = 100_000_000;
        }

        _producer = new ProducerBuilder<byte[]?, byte[]?>(config)
            .SetErrorHandler((_, error) => onError(error))
            .SetLogHandler((_, line) => KafkaClientLog.Pass(line, onError))
            .Build();
    }

    /// <summary>Gets a value indicating whether everything that was sent has arrived.</summary>
    /// <exception cref="KafkaUnavailableException">Something could not be delivered.</exception>
    public bool IsDelivered
    {
        get
        {
            Exception? failure = Volatile.Read(ref _failure);
            return failure is null ? Volatile.Read(ref _pending) == 0 : throw failure;
        }
    }

    /// <summary>
    /// Sends a dead letter, if the client takes it: it does not when too many wait for delivery, and when the topic is refused.
    /// </summary>
    /// <returns>False when it was not taken.</returns>
    /// <exception cref="KafkaUnavailableException">Something could not be delivered.</exception>
    public bool TrySend(Message<byte[]?, byte[]?> message)
    {
        if (IsDelivered && !_isRefused)
        {
            Volatile.Write(ref _lastProgress, _time.GetTimestamp());
        }

        Interlocked.Increment(ref _pending);
        try
        {
            Produce(message);
            _isRefused = false;
        }
        catch (ProduceException<byte[]?, byte[]?> exception) when (!exception.Error.IsFatal)
        {
            Interlocked.Decrement(ref _pending);
            _isRefused = true;
        }

        return !_isRefused;
    }

    /// <summary>
    /// Waits up to <paramref name="time"/> for deliveries, and sends again what the topic has refused: access may have been granted since.
    /// </summary>
    public void Wait(TimeSpan time)
    {
        if (_refused.IsEmpty)
        {
            _producer.Flush(time);
            return;
        }

        Thread.Sleep(time);
        for (int left = _refused.Count; left > 0 && _refused.TryDequeue(out Message<byte[]?, byte[]?>? message); left--)
        {
            try
            {
                _producer.Produce(_topic, message, OnDelivered);
            }
            catch (ProduceException<byte[]?, byte[]?> exception) when (!exception.Error.IsFatal)
            {
                _refused.Enqueue(message);
            }
        }
    }

    /// <summary>Says what is wrong with deliveries.</summary>
    /// <param name="state">How the topic is; null: not known.</param>
    /// <returns>In words; empty: nothing.</returns>
    /// <exception cref="KafkaUnavailableException">The topic does not take them, and has not for so long that it will not.</exception>
    public string Check(TopicState? state)
    {
        string problem = state?.WriteProblem ?? string.Empty;
        TimeSpan stalled = IsDelivered && !_isRefused ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _lastProgress));
        if (stalled > RefusalLimit && state is { CanWrite: false })
        {
            throw Undelivered(problem, null);
        }

        // A topic that is missing may be created by the broker with the first record.
        return stalled > Tolerance
                ? $"dead letters wait for delivery to topic '{_topic}'{(problem.Length > 0 ? $": {problem}" : string.Empty)}"
            : state is { CanWrite: false, IsMissing: false } ? $"dead letters: {problem}"
            : string.Empty;
    }

    public void Dispose() => _producer.Dispose();

    private void Produce(Message<byte[]?, byte[]?> message)
    {
        try
        {
            _producer.Produce(_topic, message, OnDelivered);
        }
        catch (ProduceException<byte[]?, byte[]?> exception) when (IsTooLarge(exception.Error) && message.Value!.Length > TruncatedBytes)
        {
            _producer.Produce(_topic, Truncate(message), OnDelivered);
        }
    }

    private void OnDelivered(DeliveryReport<byte[]?, byte[]?> report)
    {
        if (IsTooLarge(report.Error) && report.Message.Value is { Length: > TruncatedBytes })
        {
            ProduceAgain(Truncate(report.Message));
            return;
        }

        // The topic may be created, or access granted, while the run waits; Check ends it after RefusalLimit.
        if (report.Error.Code is ErrorCode.TopicAuthorizationFailed or ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic)
        {
            _refused.Enqueue(Copy(report.Message, report.Message.Value));
            return;
        }

        if (report.Error.IsError)
        {
            Fail(report.Error);
        }

        Volatile.Write(ref _lastProgress, _time.GetTimestamp());
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

    private void Fail(Error error) => Volatile.Write(ref _failure, Undelivered(error.Reason, new KafkaException(error)));

    private KafkaUnavailableException Undelivered(string why, Exception? cause) =>
        new(
            $"A dead letter could not be delivered to topic '{_topic}': {why}. Its record keeps its place in the stream. Create the "
                + "topic, allow this user to write to it, or set STREAMING__Kafka__DeadLetterTopic.",
            cause
        );

    private static bool IsTooLarge(Error error) => error.Code is ErrorCode.MsgSizeTooLarge;

    private static Message<byte[]?, byte[]?> Truncate(Message<byte[]?, byte[]?> message)
    {
        message.Headers.Add(DeadLetterHeaders.TruncatedFrom, Encoding.UTF8.GetBytes(DeadLetter.Text(message.Value!.Length)));
        return Copy(message, message.Value[..TruncatedBytes]);
    }

    // Without the timestamp, which the client sets in a report and refuses in a message.
    private static Message<byte[]?, byte[]?> Copy(Message<byte[]?, byte[]?> message, byte[]? value) =>
        new()
        {
            Key = message.Key,
            Value = value,
            Headers = message.Headers,
        };
}
