using Streaming.Formats.Records;

namespace Streaming.Formats.Schemas;

/// <summary>A schema by which values are written. Not for several threads at once.</summary>
public abstract class WriterSchema
{
    /// <summary>Gets the language.</summary>
    public abstract SchemaKind Kind { get; }

    /// <summary>Reads a schema.</summary>
    /// <param name="kind">Its language.</param>
    /// <param name="text">The schema.</param>
    /// <param name="references">The schemas that it refers to, each after those that it refers to itself.</param>
    /// <exception cref="FormatException">It cannot be read; says why.</exception>
    public static WriterSchema Parse(SchemaKind kind, string text, IReadOnlyList<SchemaText> references)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(references);
        try
        {
            return kind switch
            {
                SchemaKind.Avro => new AvroWriterSchema(text, references),
                SchemaKind.Protobuf => new ProtobufWriterSchema(text, references),
                _ => new JsonWriterSchema(),
            };
        }
        catch (Exception exception) when (exception is not (FormatException or OutOfMemoryException))
        {
            // The libraries throw whatever a text leads them into.
            throw new FormatException(
                $"it is not {(kind == SchemaKind.Avro ? "an Avro" : "a Protobuf")} schema: {exception.Message}",
                exception
            );
        }
    }

    /// <summary>Reads a value. Any bytes may come.</summary>
    /// <param name="value">The value behind the schema's id.</param>
    /// <param name="record">Where the values go; it is cleared first.</param>
    /// <returns>False when it was not written by this schema.</returns>
    public abstract bool TryRead(ReadOnlySpan<byte> value, RecordTree record);
}
