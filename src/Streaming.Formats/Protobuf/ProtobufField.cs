using Google.Protobuf.Reflection;

namespace Streaming.Formats.Protobuf;

/// <summary>A field of a message type.</summary>
internal sealed class ProtobufField
{
    /// <summary>Gets its name, UTF-8.</summary>
    public required byte[] Name { get; init; }

    /// <summary>Gets its number.</summary>
    public required int Number { get; init; }

    /// <summary>Gets its place among the message's fields.</summary>
    public required int Index { get; init; }

    /// <summary>Gets its type.</summary>
    public required FieldDescriptorProto.Type Type { get; init; }

    /// <summary>Gets a value indicating whether it is a list or a map.</summary>
    public required bool IsRepeated { get; init; }

    /// <summary>Gets a value indicating whether one that is not on the wire has its default value, and is not absent.</summary>
    public required bool IsImplicit { get; init; }

    /// <summary>Gets or sets the message that it holds; null: it holds none.</summary>
    public ProtobufMessage? Message { get; set; }

    /// <summary>Gets or sets the names of its enum's values by number; null: it is no enum.</summary>
    public IReadOnlyDictionary<int, byte[]>? Choices { get; set; }
}
