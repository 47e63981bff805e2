namespace Streaming.Formats.Schemas;

/// <summary>A schema as a registry holds it.</summary>
/// <param name="Name">The name by which others refer to it: a Protobuf file's path, an Avro type.</param>
/// <param name="Text">The schema; Protobuf also as a descriptor in base64.</param>
public readonly record struct SchemaText(string Name, string Text);
