using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>Maps the client's descriptions of a topic.</summary>
internal static class TopicDescriptions
{
    /// <summary>From metadata, which has neither topic id nor allowed operations.</summary>
    public static TopicState StateOf(TopicMetadata topic) =>
        topic.Error.IsError
            ? Refused(topic.Topic, topic.Error)
            : new TopicState(topic.Topic)
            {
                Partitions = topic.Partitions.Count,
                Leaderless =
                [
                    .. topic
                        .Partitions.Where(static partition => partition.Leader < 0)
                        .Select(static partition => partition.PartitionId)
                        .Order(),
                ],
                Undescribed = "a partition has no in-sync replica",
            };

    /// <summary>From a DescribeTopics result.</summary>
    public static TopicState StateOf(TopicDescription description)
    {
        string topic = description.Name;
        Error error = description.Error;
        return error.IsError
            ? Refused(topic, error)
            : new TopicState(topic)
            {
                Id = IdOf(description.TopicId),
                Partitions = description.Partitions.Count,
                Leaderless =
                [
                    .. description
                        .Partitions.Where(static partition => partition.Leader is null or { Id: < 0 })
                        .Select(static partition => partition.Partition)
                        .Order(),
                ],
                CanRead = IsAllowed(description, AclOperation.Read),
                CanWrite = IsAllowed(description, AclOperation.Write),
            };
    }

    // Formatted like Kafka's own tools (base64url). Brokers without topic ids (before 2.8) return zeros.
    private static string? IdOf(Uuid? id) =>
        id is null || (id.MostSignificantBits == 0 && id.LeastSignificantBits == 0)
            ? null
            : id.ToString().Replace('+', '-').Replace('/', '_');

    // Brokers that do not report allowed operations return null or an empty list.
    private static bool IsAllowed(TopicDescription description, AclOperation operation) =>
        description.AuthorizedOperations is not { Count: > 0 } allowed || allowed.Contains(operation) || allowed.Contains(AclOperation.All);

    private static TopicState Refused(string topic, Error error) =>
        new(topic)
        {
            IsMissing = error.Code == ErrorCode.UnknownTopicOrPart,
            CanRead = false,
            CanWrite = false,
            Error =
                error.Code == ErrorCode.TopicAuthorizationFailed
                    ? $"not authorized to access topic '{topic}' ({error.Reason})"
                    : $"topic '{topic}': {error.Reason}",
        };
}
