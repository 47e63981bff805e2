using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Type;

namespace Streaming.Formats.Protobuf;

/// <summary>Google's own message types that mean one value: a descriptor may import them without their file.</summary>
internal static class WellKnownTypes
{
    private const string Prefix = ".google.protobuf.";

    /// <summary>Seconds and nanoseconds since 1970.</summary>
    public const string Timestamp = Prefix + "Timestamp";

    private static readonly Dictionary<string, ProtobufMessage> Messages = new(StringComparer.Ordinal)
    {
        [Timestamp] = Create("Timestamp", ("seconds", Type.TypeInt64), ("nanos", Type.TypeInt32)),
        [Prefix + "DoubleValue"] = Create("DoubleValue", ("value", Type.TypeDouble)),
        [Prefix + "FloatValue"] = Create("FloatValue", ("value", Type.TypeFloat)),
        [Prefix + "Int64Value"] = Create("Int64Value", ("value", Type.TypeInt64)),
        [Prefix + "UInt64Value"] = Create("UInt64Value", ("value", Type.TypeUint64)),
        [Prefix + "Int32Value"] = Create("Int32Value", ("value", Type.TypeInt32)),
        [Prefix + "UInt32Value"] = Create("UInt32Value", ("value", Type.TypeUint32)),
        [Prefix + "BoolValue"] = Create("BoolValue", ("value", Type.TypeBool)),
        [Prefix + "StringValue"] = Create("StringValue", ("value", Type.TypeString)),
        [Prefix + "BytesValue"] = Create("BytesValue", ("value", Type.TypeBytes)),
    };

    /// <summary>The type of a full name, or null.</summary>
    public static ProtobufMessage? Find(string name) => Messages.GetValueOrDefault(name);

    /// <summary>Whether a message stands for the one value that it holds.</summary>
    public static bool IsWrapper(ProtobufMessage message) => message.Name != Timestamp && Messages.ContainsKey(message.Name);

    private static ProtobufMessage Create(string name, params (string Name, Type Type)[] fields)
    {
        var message = new ProtobufMessage { Name = Prefix + name, IsMapEntry = false };
        for (int i = 0; i < fields.Length; i++)
        {
            message.Add(
                new ProtobufField
                {
                    Name = System.Text.Encoding.UTF8.GetBytes(fields[i].Name),
                    Number = i + 1,
                    Index = i,
                    Type = fields[i].Type,
                    IsRepeated = false,
                    IsImplicit = true,
                }
            );
        }

        return message;
    }
}
