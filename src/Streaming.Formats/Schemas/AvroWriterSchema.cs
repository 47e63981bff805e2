using Avro;
using Streaming.Formats.Records;

namespace Streaming.Formats.Schemas;

/// <summary>An Avro schema: values are read by the schema that they were written by, and the mapping finds fields by their names.</summary>
internal sealed class AvroWriterSchema : WriterSchema
{
    private readonly Schema _schema;

    /// <summary>Reads a schema.</summary>
    /// <exception cref="FormatException">Its type is unknown; the library throws others.</exception>
    public AvroWriterSchema(string text, IReadOnlyList<SchemaText> references)
    {
        var names = new SchemaNames();
        foreach (SchemaText reference in references)
        {
            if (Schema.Parse(AvroLogicalTypes.WithoutUnsuitable(reference.Text), names) is NamedSchema named)
            {
                names.Add(named);
            }
        }

        _schema =
            Schema.Parse(AvroLogicalTypes.WithoutUnsuitable(text), names)
            ?? throw new FormatException("it is not an Avro schema: its type is unknown");
    }

    /// <inheritdoc/>
    public override SchemaKind Kind => SchemaKind.Avro;

    /// <inheritdoc/>
    public override bool TryRead(ReadOnlySpan<byte> value, RecordTree record)
    {
        record.Clear();
        try
        {
            return new AvroDatum(value, record).Read(_schema);
        }
        catch (InvalidDataException)
        {
            record.Clear();
            return false;
        }
    }
}
