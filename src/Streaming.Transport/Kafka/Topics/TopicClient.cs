using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Streaming.Transport;

/// <summary>Asks the cluster about topics, offsets and the group. Any thread.</summary>
internal sealed class TopicClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private readonly IAdminClient _admin;

    public TopicClient(KafkaOptions options, Action<Error> onError) =>
        _admin = new AdminClientBuilder(KafkaClientSettings.Admin(options))
            .SetErrorHandler((_, error) => onError(error))
            .SetLogHandler((_, line) => KafkaClientLog.Pass(line, onError))
            .Build();

    /// <summary>Describes topics by name, and creates none.</summary>
    /// <exception cref="KafkaException">The cluster did not answer.</exception>
    public async Task<IReadOnlyDictionary<string, TopicState>> DescribeAsync(IReadOnlyCollection<string> topics)
    {
        DescribeTopicsOptions options = new() { RequestTimeout = Limit, IncludeAuthorizedOperations = true };
        List<TopicDescription> descriptions;
        try
        {
            descriptions = (await _admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(topics), options).ConfigureAwait(false)).TopicDescriptions;
        }
        catch (DescribeTopicsException exception)
        {
            descriptions = exception.Results.TopicDescriptions; // Each says how it is.
        }

        return descriptions.ToDictionary(static description => description.Name, StateOf);
    }

    /// <summary>Finds an offset in each of several partitions.</summary>
    /// <returns>By partition, -1 where there is no such record; null: the cluster did not answer for all of them.</returns>
    public long[]? TryFindOffsets(string topic, IReadOnlyCollection<int> partitions, OffsetSpec which)
    {
        try
        {
            ListOffsetsResult found = _admin.ListOffsetsAsync(
                partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(topic, partition), OffsetSpec = which }),
                new ListOffsetsOptions { RequestTimeout = Limit, IsolationLevel = IsolationLevel.ReadUncommitted }).GetAwaiter().GetResult();
            Dictionary<int, long> offsets = found.ResultInfos.ToDictionary(static info => info.TopicPartitionOffsetError.Partition.Value, static info => info.TopicPartitionOffsetError.Offset.Value);
            return [.. partitions.Select(partition => offsets[partition])];
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    /// <summary>Counts the members of a group that hold partitions of a topic.</summary>
    /// <param name="groupId">The group.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="self">The member that is left out.</param>
    /// <returns>Null: the cluster did not answer, or may not.</returns>
    public async Task<int?> TryCountOtherMembersAsync(string groupId, string topic, string self)
    {
        try
        {
            DescribeConsumerGroupsResult groups = await _admin.DescribeConsumerGroupsAsync([groupId], new DescribeConsumerGroupsOptions { RequestTimeout = Limit }).ConfigureAwait(false);
            return groups.ConsumerGroupDescriptions.Single().Members.Count(member =>
                member.ConsumerId != self && member.Assignment.TopicPartitions.Exists(partition => partition.Topic == topic));
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    public void Dispose() => _admin.Dispose();

    private static TopicState StateOf(TopicDescription description)
    {
        string topic = description.Name;
        Error error = description.Error;
        if (error.IsError)
        {
            return new TopicState(topic)
            {
                IsMissing = error.Code == ErrorCode.UnknownTopicOrPart,
                CanRead = false,
                CanWrite = false,
                Error = error.Code == ErrorCode.TopicAuthorizationFailed ? $"not authorized to access topic '{topic}' ({error.Reason})" : $"topic '{topic}': {error.Reason}",
            };
        }

        return new TopicState(topic)
        {
            Id = IdOf(description.TopicId),
            Partitions = description.Partitions.Count,
            Leaderless = [.. description.Partitions.Where(static partition => partition.Leader is null or { Id: < 0 }).Select(static partition => partition.Partition).Order()],
            CanRead = IsAllowed(description, AclOperation.Read),
            CanWrite = IsAllowed(description, AclOperation.Write),
        };
    }

    // As Kafka's own tools write it (base64url). Brokers that know no topic ids (before 2.8) give zeros.
    private static string? IdOf(Uuid? id) => id is null || (id.MostSignificantBits == 0 && id.LeastSignificantBits == 0) ? null : id.ToString().Replace('+', '-').Replace('/', '_');

    // Brokers that do not say which operations are allowed give no list, or an empty one.
    private static bool IsAllowed(TopicDescription description, AclOperation operation) =>
        description.AuthorizedOperations is not { Count: > 0 } allowed || allowed.Contains(operation) || allowed.Contains(AclOperation.All);
}
