namespace Streaming.Transport.Kafka.Clients;

/// <summary>How the values of a topic are written.</summary>
public enum RecordFormat
{
    /// <summary>Protobuf, as in <c>schemas/*.proto</c>.</summary>
    Protobuf,

    /// <summary>JSON, as in <c>schemas/*.schema.json</c>.</summary>
    Json,

    /// <summary>
    /// Avro, Protobuf or JSON, as the schema in the registry says whose id is in each value's header (Confluent's wire format).
    /// </summary>
    Registry,
}
