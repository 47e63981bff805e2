using System.Collections.Concurrent;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>Queries the cluster for topics, offsets and group members. Thread-safe.</summary>
internal sealed class TopicClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Timeout of a description, which answers at once if metadata just did. Until the cluster notices that its controller is
    /// dead,
    /// the client keeps trying to reach it.</summary>
    private static readonly TimeSpan DescribeLimit = TimeSpan.FromSeconds(2);

    /// <summary>Clients whose thread has died. Disposing them throws before the native client is destroyed, and the garbage collector would
    /// destroy it together with the delegates that it still calls, so they are kept. One is added each time a partition loses its last
    /// replica within milliseconds of a look.</summary>
    private static readonly ConcurrentQueue<IAdminClient> Broken = new();

    private readonly Func<IAdminClient> _create;
    private IAdminClient _admin;
    private int _users = 1; // The owner, until Dispose, and each call under way.

    public TopicClient(KafkaOptions options, Action<Error> onError)
    {
        _create = () =>
            new AdminClientBuilder(KafkaClientSettings.Admin(options))
                .SetErrorHandler((_, error) => onError(error))
                .SetLogHandler((_, line) => KafkaClientLog.Pass(line, onError))
                .Build();
        _admin = _create();
    }

    /// <summary>Describes topics by name, without creating them.</summary>
    /// <remarks>
    /// Metadata is requested first, from any available broker. DescribeTopics alone is not enough: it goes to the last known controller,
    /// retries the connection hundreds of times a second while that is dead, and never looks for the new one, which a
    /// metadata response names. A topic with a partition without in-sync replicas must not be described: the exception that
    /// Confluent.Kafka 2.16 throws then kills the thread that completes this client's requests.
    /// </remarks>
    /// <exception cref="KafkaException">No broker answers.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async Task<IReadOnlyDictionary<string, TopicState>> DescribeAsync(IReadOnlyCollection<string> topics)
    {
        Enter();
        try
        {
            return await DescribeAllAsync(topics).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    private async Task<IReadOnlyDictionary<string, TopicState>> DescribeAllAsync(IReadOnlyCollection<string> topics)
    {
        Dictionary<string, TopicState> states = [];
        List<string> describable = [];
        foreach (TopicMetadata topic in topics.Select(name => _admin.GetMetadata(name, Limit).Topics.Single()))
        {
            states[topic.Topic] = TopicDescriptions.StateOf(topic);
            if (topic.Partitions.TrueForAll(static partition => partition.Leader >= 0 && partition.InSyncReplicas.Length > 0))
            {
                describable.Add(topic.Topic);
            }
        }

        if (describable.Count > 0)
        {
            await DescribeAsync(describable, states).ConfigureAwait(false);
        }

        return states;
    }

    /// <summary>Looks up one offset in each of several partitions.</summary>
    /// <returns>Offsets by partition, -1 if there is no such record; null if the cluster did not answer for all of them.</returns>
    public long[]? TryFindOffsets(string topic, IReadOnlyCollection<int> partitions, OffsetSpec which)
    {
        Enter();
        try
        {
            ListOffsetsResult found = _admin
                .ListOffsetsAsync(
                    partitions.Select(partition => new TopicPartitionOffsetSpec
                    {
                        TopicPartition = new TopicPartition(topic, partition),
                        OffsetSpec = which,
                    }),
                    new ListOffsetsOptions { RequestTimeout = Limit, IsolationLevel = IsolationLevel.ReadUncommitted }
                )
                .WaitAsync(2 * Limit)
                .GetAwaiter()
                .GetResult();
            var offsets = found.ResultInfos.ToDictionary(
                static info => info.TopicPartitionOffsetError.Partition.Value,
                static info => info.TopicPartitionOffsetError.Offset.Value
            );
            return [.. partitions.Select(partition => offsets[partition])];
        }
        catch (Exception exception) when (exception is KafkaException or TimeoutException)
        {
            return null;
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Counts the members of a group that hold partitions of a topic.</summary>
    /// <param name="groupId">The group.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="self">The member id to exclude.</param>
    /// <returns>Null if the cluster did not answer or denies access.</returns>
    public async Task<int?> TryCountOtherMembersAsync(string groupId, string topic, string self)
    {
        Enter();
        try
        {
            DescribeConsumerGroupsResult groups = await _admin
                .DescribeConsumerGroupsAsync([groupId], new DescribeConsumerGroupsOptions { RequestTimeout = Limit })
                .WaitAsync(2 * Limit)
                .ConfigureAwait(false);
            return groups
                .ConsumerGroupDescriptions.Single()
                .Members.Count(member =>
                    member.ConsumerId != self && member.Assignment.TopicPartitions.Exists(partition => partition.Topic == topic)
                );
        }
        catch (Exception exception) when (exception is KafkaException or TimeoutException)
        {
            return null;
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Destroys the client, as soon as no call is under way: a metadata request keeps reading the native client for up to 5 s, and
    /// destroying that meanwhile would crash the process.</summary>
    public void Dispose() => Leave();

    private void Enter()
    {
        int users = Volatile.Read(ref _users);
        while (true)
        {
            ObjectDisposedException.ThrowIf(users == 0, this);
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
            {
                return;
            }

            users = seen;
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            Destroy();
        }
    }

    private void Destroy()
    {
        try
        {
            _admin.Dispose();
        }
        catch (ArgumentNullException)
        {
            Broken.Enqueue(_admin); // Rethrows the exception that killed its thread.
        }
    }

    private async Task DescribeAsync(List<string> topics, Dictionary<string, TopicState> states)
    {
        DescribeTopicsOptions options = new() { RequestTimeout = DescribeLimit, IncludeAuthorizedOperations = true };
        try
        {
            DescribeTopicsResult result = await _admin
                .DescribeTopicsAsync(TopicCollection.OfTopicNames(topics), options)
                .WaitAsync(2 * DescribeLimit)
                .ConfigureAwait(false);
            Take(result.TopicDescriptions, states);
        }
        catch (DescribeTopicsException exception)
        {
            Take(exception.Results.TopicDescriptions, states); // Each has its own error.
        }
        catch (KafkaException exception) when (exception.Error.Code == ErrorCode.Local_TimedOut)
        {
            TakeUndescribed(topics, states, exception.Error.Reason);
        }
        catch (TimeoutException)
        {
            // A partition lost its last replica in between: this client is unusable from now on.
            TakeUndescribed(topics, states, "no answer");
            Replace();
        }
    }

    private static void Take(IEnumerable<TopicDescription> descriptions, Dictionary<string, TopicState> states)
    {
        foreach (TopicDescription description in descriptions)
        {
            states[description.Name] = TopicDescriptions.StateOf(description);
        }
    }

    private static void TakeUndescribed(List<string> topics, Dictionary<string, TopicState> states, string reason)
    {
        foreach (string topic in topics.Where(topic => states[topic].Exists))
        {
            states[topic] = states[topic] with { Undescribed = reason };
        }
    }

    private void Replace()
    {
        Broken.Enqueue(Interlocked.Exchange(ref _admin, _create()));
    }
}
