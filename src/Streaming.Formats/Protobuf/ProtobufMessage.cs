namespace Streaming.Formats.Protobuf;

/// <summary>A message type.</summary>
internal sealed class ProtobufMessage
{
    private readonly Dictionary<int, ProtobufField> _byNumber = [];

    /// <summary>Gets the types that are declared in it, in their order; those of maps among them.</summary>
    public List<ProtobufMessage> Nested { get; } = [];

    /// <summary>Gets the fields in the order of their declaration.</summary>
    public List<ProtobufField> Fields { get; } = [];

    /// <summary>Gets the full name, with a dot before it.</summary>
    public required string Name { get; init; }

    /// <summary>Gets a value indicating whether it is the key and value of a map.</summary>
    public required bool IsMapEntry { get; init; }

    /// <summary>Adds a field.</summary>
    public void Add(ProtobufField field)
    {
        Fields.Add(field);
        _byNumber.TryAdd(field.Number, field);
    }

    /// <summary>The field of a number, or null.</summary>
    public ProtobufField? Find(int number) => _byNumber.GetValueOrDefault(number);
}
