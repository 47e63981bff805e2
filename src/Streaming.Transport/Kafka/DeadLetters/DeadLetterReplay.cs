using System.Globalization;
using Confluent.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka.DeadLetters;

/// <summary>
/// Sends records of dead letters back to where they came from: key, value, partition, headers and, unless told otherwise, time as they
/// were. Not for several threads at once.
/// </summary>
public sealed class DeadLetterReplay : IDisposable
{
    private const int DeliveryLimit = 30_000;

    private readonly Dictionary<string, int> _partitions = new(StringComparer.Ordinal);
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly bool _keepsTime;
    private long _delivered;
    private string? _failure;

    /// <summary>Creates it, and asks for the topics.</summary>
    /// <param name="options">How to reach Kafka, and the topics that records may go back to.</param>
    /// <param name="keepsTime">Whether records keep their time; else they get the current one, for topics whose retention is shorter than
    /// they are old.</param>
    /// <exception cref="KafkaUnavailableException">No broker answers, or a topic cannot be written to.</exception>
    public DeadLetterReplay(KafkaOptions options, bool keepsTime = true)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _keepsTime = keepsTime;
        using ClusterQuestion question = new(options);
        string[] topics = options.ItemsTopic.Length == 0 ? [options.InteractionsTopic] : [options.InteractionsTopic, options.ItemsTopic];
        foreach (string topic in topics)
        {
            TopicState state = question.Describe(topic);
            _partitions[topic] = state.Partitions;
            if (state.Exists && !state.CanWrite)
            {
                throw new KafkaUnavailableException($"Nothing was replayed: {state.WriteProblem}.");
            }
        }

        // One request at a time: what is sent again after an error would otherwise pass what came after it.
        ProducerConfig config = KafkaClientSettings.Producer(options);
        (config.MessageTimeoutMs, config.MaxInFlight, config.MessageMaxBytes) = (DeliveryLimit, 1, 100_000_000);
        _producer = new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler(static (_, _) => { }).Build();
    }

    /// <summary>Gets how many records the broker has confirmed.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Says why a dead letter cannot go back; null: it can.</summary>
    public string? Objection(StoredDeadLetter letter)
    {
        ArgumentNullException.ThrowIfNull(letter);
        return letter.IsTruncated ? "its value was cut off"
            : !_partitions.TryGetValue(letter.Topic, out int partitions)
                ? $"its topic is '{letter.Topic}'; allowed: {string.Join(", ", _partitions.Keys)}"
            : partitions == 0 ? $"topic '{letter.Topic}' does not exist"
            : null;
    }

    /// <summary>Sends a record back, waiting while too many are on their way.</summary>
    /// <exception cref="KafkaUnavailableException">A record could not be delivered.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the client took this one.</exception>
    public void Send(StoredDeadLetter letter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(letter);
        Headers headers = [];
        foreach ((string name, byte[] value) in letter.OriginalHeaders)
        {
            headers.Add(name, value);
        }

        Message<byte[]?, byte[]?> message = new()
        {
            Key = letter.Key,
            Value = letter.Value,
            Headers = headers,
        };
        if (_keepsTime && letter.OriginTimestamp is long time)
        {
            message.Timestamp = new Timestamp(time, TimestampType.CreateTime);
        }

        // Its own partition, where it still is one: by the key alone, another producer's hash would choose another.
        bool isKnown = letter.OriginPartition is int origin && origin < _partitions[letter.Topic];
        var destination = new TopicPartition(letter.Topic, isKnown ? letter.OriginPartition!.Value : Partition.Any);
        while (!TryProduce(destination, message, letter))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _producer.Flush(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>Waits until everything sent has been confirmed, up to half a minute.</summary>
    /// <exception cref="KafkaUnavailableException">A record could not be delivered.</exception>
    public void Flush()
    {
        _producer.Flush(TimeSpan.FromMilliseconds(DeliveryLimit + 5_000));
        ThrowIfFailed();
    }

    /// <inheritdoc/>
    public void Dispose() => _producer.Dispose();

    private bool TryProduce(TopicPartition destination, Message<byte[]?, byte[]?> message, StoredDeadLetter letter)
    {
        ThrowIfFailed();
        try
        {
            _producer.Produce(destination, message, report => OnDelivered(report, letter));
            return true;
        }
        catch (ProduceException<byte[]?, byte[]?> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
        catch (ProduceException<byte[]?, byte[]?> exception)
        {
            throw new KafkaUnavailableException(Undelivered(letter, exception.Error), exception);
        }
    }

    private void OnDelivered(DeliveryReport<byte[]?, byte[]?> report, StoredDeadLetter letter)
    {
        if (report.Error.IsError)
        {
            Interlocked.CompareExchange(ref _failure, Undelivered(letter, report.Error), null);
        }
        else
        {
            Interlocked.Increment(ref _delivered);
        }
    }

    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw new KafkaUnavailableException(failure);
        }
    }

    private static string Undelivered(StoredDeadLetter letter, Error error) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"Dead letter [{letter.Partition}]@{letter.Offset} could not be replayed to topic '{letter.Topic}': {error.Reason}. What "
                + $"came before it in its partition was; go on with --from {letter.Offset}."
        );
}
