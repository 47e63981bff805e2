using Streaming.Transport.Kafka.Clients;

namespace Streaming.Worker.Stages;

/// <summary>The consumer group of a worker. By default its name contains the model's: two models in one group would each train on a
/// part of the events.</summary>
internal static class ConsumerGroup
{
    /// <summary>The name of the group.</summary>
    public static string NameOf(StageOptions settings) =>
        settings.Kafka.GroupId is { Length: > 0 } set ? set : $"streaming-{settings.Redis.Model}";

    /// <summary>The Kafka settings with that name.</summary>
    public static KafkaOptions Apply(StageOptions settings) => settings.Kafka with { GroupId = NameOf(settings) };
}
