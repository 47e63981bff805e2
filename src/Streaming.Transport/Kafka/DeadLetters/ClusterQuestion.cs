using Confluent.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka.DeadLetters;

/// <summary>Asks about topics once, for a command: without an answer it ends.</summary>
internal sealed class ClusterQuestion : IDisposable
{
    private readonly TopicClient _client;
    private readonly string _servers;
    private string _lastError = string.Empty;

    public ClusterQuestion(KafkaOptions options)
    {
        _servers = options.BootstrapServers;
        _client = new TopicClient(options, Note);
    }

    /// <summary>Gets what the clients last reported, to follow a message; empty: nothing.</summary>
    public string Why => Volatile.Read(ref _lastError) is { Length: > 0 } error ? $" ({error})" : string.Empty;

    /// <summary>Keeps what a client reports. That all brokers are down says nothing of why; the error before it does.</summary>
    public void Note(Error error)
    {
        if (error.Code != ErrorCode.Local_AllBrokersDown)
        {
            Volatile.Write(ref _lastError, error.Reason);
        }
    }

    /// <summary>Describes a topic.</summary>
    /// <exception cref="KafkaUnavailableException">No broker answers.</exception>
    public TopicState Describe(string topic)
    {
        try
        {
            return _client.DescribeAsync([topic]).GetAwaiter().GetResult()[topic];
        }
        catch (KafkaException exception)
        {
            throw new KafkaUnavailableException(
                $"No answer from Kafka at {_servers} (STREAMING__Kafka__BootstrapServers): {exception.Error.Reason}{Why}.",
                exception
            );
        }
    }

    public void Dispose() => _client.Dispose();
}
