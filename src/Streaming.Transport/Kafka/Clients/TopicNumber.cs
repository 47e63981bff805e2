namespace Streaming.Transport.Kafka.Clients;

/// <summary>Numbers of the topics within a worker's stream positions.</summary>
internal static class TopicNumber
{
    /// <summary>Interaction events.</summary>
    public const int Interactions = 0;

    /// <summary>The catalogue.</summary>
    public const int Items = 1;
}
