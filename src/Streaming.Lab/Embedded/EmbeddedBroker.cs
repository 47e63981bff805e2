using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using Streaming.Transport.Kafka.Native;

namespace Streaming.Lab.Embedded;

/// <summary>
/// An in-process Kafka endpoint that any client can reach over TCP: librdkafka's mock cluster, with topics, consumer
/// groups, commits and fault injection. For tests and demos.
/// </summary>
/// <remarks>It keeps about the newest 5 MB of a partition and compacts nothing, so producers must not run far ahead of
/// the consumers. Topics that were not created are created with 4 partitions on first request.</remarks>
public sealed class EmbeddedBroker : IDisposable
{
    private const int ProducerType = 0;
    private const int LogNothing = 0;
    private readonly Lock _gate = new();
    private nint _client;
    private nint _cluster;

    /// <summary>Starts the brokers on free loopback ports.</summary>
    /// <param name="brokers">Number of brokers, 1 … 16. Their ids are 1, 2, ….</param>
    /// <exception cref="KafkaLibraryException">librdkafka cannot be loaded.</exception>
    /// <exception cref="InvalidOperationException">librdkafka returned an error.</exception>
    public EmbeddedBroker(int brokers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(brokers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(brokers, 16);
        byte[] error = new byte[512];
        nint configuration = LibRdKafka.ConfNew();
        _ = LibRdKafka.ConfSet(configuration, Utf8("log_level"), Utf8($"{LogNothing}"), error, (nuint)error.Length);
        _client = LibRdKafka.New(ProducerType, configuration, error, (nuint)error.Length);
        if (_client == 0)
        {
            throw new InvalidOperationException($"librdkafka did not start: {Text(error)}.");
        }

        _cluster = LibRdKafka.MockClusterNew(_client, brokers);
        if (_cluster == 0)
        {
            LibRdKafka.Destroy(_client);
            throw new InvalidOperationException("librdkafka did not start its embedded brokers.");
        }

        // Topic metadata requests go to the controller, which must be named.
        _ = LibRdKafka.MockSetController(_cluster, 1);
        BrokerCount = brokers;
        BootstrapServers = Marshal.PtrToStringUTF8(LibRdKafka.MockClusterBootstraps(_cluster))!;
    }

    /// <summary>Gets the number of brokers.</summary>
    public int BrokerCount { get; }

    /// <summary>Gets the bootstrap servers.</summary>
    public string BootstrapServers { get; }

    /// <summary>Creates a topic.</summary>
    /// <param name="topic">Its name.</param>
    /// <param name="partitions">Number of partitions, 1 and up.</param>
    public void CreateTopic(string topic, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        Call(cluster => LibRdKafka.MockTopicCreate(cluster, Utf8(topic), partitions, 1), $"create topic '{topic}'");
    }

    /// <summary>Deletes a topic with its records. A later topic of the same name has a new id.</summary>
    public void DeleteTopic(string topic) => Call(cluster => LibRdKafka.MockTopicDelete(cluster, Utf8(topic)), $"delete topic '{topic}'");

    /// <summary>Answers metadata requests for a topic with an error from now on; <see cref="ErrorCode.NoError"/> resets it.</summary>
    public void SetTopicError(string topic, ErrorCode error) =>
        Call(
            cluster =>
            {
                LibRdKafka.MockTopicSetError(cluster, Utf8(topic), (int)error);
                return 0;
            },
            $"refuse topic '{topic}'"
        );

    /// <summary>Deletes the records of a partition below an offset, as retention does.</summary>
    public void DeleteRecords(string topic, int partition, long before) =>
        Call(
            cluster => LibRdKafka.MockPartitionDeleteRecords(cluster, Utf8(topic), partition, before),
            $"delete records of {topic}[{partition}]"
        );

    /// <summary>Sets the heartbeat interval of groups with the KIP-848 protocol, 5 s by default.</summary>
    public void SetGroupHeartbeat(TimeSpan interval) =>
        Call(
            cluster =>
            {
                LibRdKafka.MockSetGroupHeartbeat(cluster, (int)interval.TotalMilliseconds);
                return 0;
            },
            "set the heartbeat of groups"
        );

    /// <summary>Takes a broker down: its connections break and new ones are refused.</summary>
    public void SetDown(int broker = 1) => Call(cluster => LibRdKafka.MockBrokerSetDown(cluster, broker), $"take broker {broker} down");

    /// <summary>Brings a broker back.</summary>
    public void SetUp(int broker = 1) => Call(cluster => LibRdKafka.MockBrokerSetUp(cluster, broker), $"bring broker {broker} up");

    /// <summary>Delays every response of a broker.</summary>
    public void SetRoundTripTime(TimeSpan time, int broker = 1) =>
        Call(cluster => LibRdKafka.MockBrokerSetRtt(cluster, broker, (int)time.TotalMilliseconds), $"slow broker {broker} down");

    /// <summary>Moves a partition's leadership.</summary>
    public void SetLeader(string topic, int partition, int broker) =>
        Call(
            cluster => LibRdKafka.MockPartitionSetLeader(cluster, Utf8(topic), partition, broker),
            $"move {topic}[{partition}] to broker {broker}"
        );

    /// <summary>Fails the next requests of one kind, one error each.</summary>
    /// <param name="apiKey">The request's API key in the Kafka protocol: 0 Produce, 1 Fetch, 2 ListOffsets, 8 OffsetCommit,
    /// 9 OffsetFetch, 10 FindCoordinator, 11 JoinGroup, 12 Heartbeat, 14 SyncGroup.</param>
    /// <param name="errors">The errors, in order; <see cref="ErrorCode.Local_Transport"/> breaks the connection.</param>
    public void FailNext(short apiKey, params ErrorCode[] errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        int[] codes = Array.ConvertAll(errors, static error => (int)error);
        Call(
            cluster =>
            {
                LibRdKafka.MockPushRequestErrors(cluster, apiKey, (nuint)codes.Length, codes);
                return 0;
            },
            $"fail requests of kind {apiKey}"
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_cluster == 0)
            {
                return;
            }

            LibRdKafka.MockClusterDestroy(_cluster);
            LibRdKafka.Destroy(_client);
            _cluster = 0;
            _client = 0;
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static string Text(byte[] error) => Encoding.UTF8.GetString(error).TrimEnd('\0');

    private void Call(Func<nint, int> action, string what)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_cluster == 0, this);
            int error = action(_cluster);
            if (error != 0)
            {
                throw new InvalidOperationException($"The embedded broker could not {what}: {(ErrorCode)error}.");
            }
        }
    }
}
