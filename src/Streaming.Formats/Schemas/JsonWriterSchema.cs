using Streaming.Formats.Json;
using Streaming.Formats.Records;

namespace Streaming.Formats.Schemas;

/// <summary>
/// JSON Schema. The values name their own fields, and the mapping checks those that it takes: they are not validated a second time.
/// </summary>
internal sealed class JsonWriterSchema : WriterSchema
{
    /// <inheritdoc/>
    public override SchemaKind Kind => SchemaKind.Json;

    /// <inheritdoc/>
    public override bool TryRead(ReadOnlySpan<byte> value, RecordTree record) => JsonTree.TryRead(value, record);
}
