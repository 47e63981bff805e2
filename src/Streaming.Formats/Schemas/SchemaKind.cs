namespace Streaming.Formats.Schemas;

/// <summary>The languages of schemas.</summary>
public enum SchemaKind
{
    /// <summary>Avro.</summary>
    Avro,

    /// <summary>Protobuf.</summary>
    Protobuf,

    /// <summary>JSON Schema.</summary>
    Json,
}
