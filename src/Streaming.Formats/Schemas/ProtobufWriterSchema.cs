using Streaming.Formats.Protobuf;
using Streaming.Formats.Records;

namespace Streaming.Formats.Schemas;

/// <summary>A Protobuf file: values begin with the path to their message type in it.</summary>
internal sealed class ProtobufWriterSchema(string text, IReadOnlyList<SchemaText> references) : WriterSchema
{
    private const int MostIndexes = 16;
    private readonly ProtobufFile _file = ProtobufFile.Parse(text, references.Select(static reference => (reference.Name, reference.Text)));
    private readonly ProtobufTree _tree = new();

    /// <inheritdoc/>
    public override SchemaKind Kind => SchemaKind.Protobuf;

    /// <inheritdoc/>
    public override bool TryRead(ReadOnlySpan<byte> value, RecordTree record)
    {
        record.Clear();
        try
        {
            return TryFind(ref value, out ProtobufMessage? message) && _tree.TryRead(value, message!, record);
        }
        catch (InvalidDataException)
        {
            record.Clear();
            return false;
        }
    }

    // A count and so many indexes as zigzag varints: of the type in the file, of the type nested in it, …. Count 0 is short for the first
    // type.
    private bool TryFind(ref ReadOnlySpan<byte> value, out ProtobufMessage? message)
    {
        message = null;
        if (!TryReadZigzag(ref value, out int count) || count is < 0 or > MostIndexes)
        {
            return false;
        }

        IReadOnlyList<ProtobufMessage> types = _file.Messages;
        for (int i = 0; i < Math.Max(count, 1); i++)
        {
            int index = 0;
            if ((count > 0 && !TryReadZigzag(ref value, out index)) || index < 0 || index >= types.Count)
            {
                return false;
            }

            message = types[index];
            types = message.Nested;
        }

        return true;
    }

    private static bool TryReadZigzag(ref ReadOnlySpan<byte> value, out int number)
    {
        var reader = new ProtobufReader(value);
        bool isRead = reader.TryReadVarint(out ulong raw) && raw <= uint.MaxValue;
        number = (int)((uint)raw >> 1) ^ -(int)(raw & 1);
        value = reader.Rest;
        return isRead;
    }
}
