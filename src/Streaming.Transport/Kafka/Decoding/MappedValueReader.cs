using Streaming.Core.Events;
using Streaming.Formats.Json;
using Streaming.Formats.Records;
using Streaming.Formats.Schemas;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Registry;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Puts values of a topic that has a mapping into a tree: JSON, or what a schema of the registry says. Not for several threads at once.
/// </summary>
/// <param name="setting">The setting of the topic's format, for messages.</param>
/// <param name="maxBytes">Longest value that is looked at.</param>
/// <param name="schemas">The schemas that values name by their header; null: they are JSON.</param>
internal sealed class MappedValueReader(string setting, int maxBytes, RegistrySchemas? schemas)
{
    /// <summary>Reads a value. Any bytes may come: the answer is a tree or a reason, never an exception.</summary>
    public DeadLetterReason Read(ReadOnlySpan<byte> value, RecordTree record)
    {
        if (value.IsEmpty || value.Length > maxBytes)
        {
            return value.IsEmpty ? DeadLetterReason.Empty : DeadLetterReason.TooLarge;
        }

        if (schemas is not null)
        {
            return ReadFramed(value, record, schemas);
        }

        return !ConfluentWireHeader.TrySkip(ref value, RecordFormat.Json) ? DeadLetterReason.BadWireHeader
            : JsonTree.TryRead(value, record) ? DeadLetterReason.None
            : DeadLetterReason.Malformed;
    }

    /// <summary>Says what is wrong with a value that was refused; null: not its bytes.</summary>
    public string? Explain(ReadOnlySpan<byte> value, DeadLetterReason reason)
    {
        if (
            schemas is null
            || reason is not (DeadLetterReason.BadWireHeader or DeadLetterReason.UnknownSchema or DeadLetterReason.Malformed)
        )
        {
            return ValueFault.Describe(value, RecordFormat.Json, setting, maxBytes, reason);
        }

        if (!ConfluentWireHeader.TryReadId(value, out int id))
        {
            return $"the value begins with {ShortText.Of(value[..Math.Min(value.Length, 5)])}; allowed: byte 0 and the id of a schema, "
                + $"because {setting} is Registry";
        }

        WriterSchema? schema = schemas.Get(id, out string fault);
        return schema is null ? fault
            : reason == DeadLetterReason.Malformed && !schema.TryRead(value[ConfluentWireHeader.HeaderBytes..], new RecordTree())
                ? $"the value was not written by schema {id} ({schema.Kind}), which it names: "
                    + $"{ShortText.Of(value[ConfluentWireHeader.HeaderBytes..])}"
            : null;
    }

    private static DeadLetterReason ReadFramed(ReadOnlySpan<byte> value, RecordTree record, RegistrySchemas schemas) =>
        !ConfluentWireHeader.TryReadId(value, out int id) ? DeadLetterReason.BadWireHeader
        : schemas.Get(id, out _) is not { } schema ? DeadLetterReason.UnknownSchema
        : schema.TryRead(value[ConfluentWireHeader.HeaderBytes..], record) ? DeadLetterReason.None
        : DeadLetterReason.Malformed;
}
