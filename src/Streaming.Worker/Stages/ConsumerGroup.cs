using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Redis;
using Streaming.Worker.Settings;

namespace Streaming.Worker.Stages;

/// <summary>The consumer group of a worker. By default its name holds the model's: two models in one group would each learn from a part of
/// the events.</summary>
internal static class ConsumerGroup
{
    /// <summary>The name by the settings.</summary>
    public static string NameOf(SettingsValues settings) =>
        settings.Get<KafkaOptions>().GroupId is { Length: > 0 } set ? set : $"streaming-{settings.Get<RedisOptions>().Model}";

    /// <summary>The Kafka settings with the name in them.</summary>
    public static KafkaOptions Apply(SettingsValues settings)
    {
        KafkaOptions kafka = settings.Get<KafkaOptions>().Copy();
        kafka.GroupId = NameOf(settings);
        return kafka;
    }
}
