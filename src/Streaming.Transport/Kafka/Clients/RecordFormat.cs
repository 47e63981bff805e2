namespace Streaming.Transport.Kafka.Clients;

/// <summary>How the values of a topic are written.</summary>
public enum RecordFormat
{
    /// <summary>Protobuf, as in <c>schemas/*.proto</c>.</summary>
    Protobuf,

    /// <summary>JSON, as in <c>schemas/*.schema.json</c>.</summary>
    Json,
}
