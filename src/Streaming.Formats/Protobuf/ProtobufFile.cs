using System.Text;
using Google.Protobuf.Reflection;
using ProtoBuf;
using ProtoBuf.Reflection;

namespace Streaming.Formats.Protobuf;

/// <summary>The message types of a Protobuf file, out of its text or of its descriptor.</summary>
internal sealed class ProtobufFile
{
    private readonly Dictionary<string, ProtobufMessage> _messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<int, byte[]>> _enums = new(StringComparer.Ordinal);
    private readonly List<(ProtobufField Field, string TypeName)> _unresolved = [];

    private ProtobufFile(IEnumerable<FileDescriptorProto> files, FileDescriptorProto main)
    {
        foreach (FileDescriptorProto file in files)
        {
            string scope = string.IsNullOrEmpty(file.Package) ? string.Empty : "." + file.Package;
            List<ProtobufMessage> declared = [.. file.MessageTypes.Select(type => Declare(type, scope, isProto3: file.Syntax == "proto3"))];
            file.EnumTypes.ForEach(type => Declare(type, scope));
            Messages = file == main ? declared : Messages;
        }

        foreach ((ProtobufField field, string typeName) in _unresolved)
        {
            field.Choices = _enums.GetValueOrDefault(typeName);
            field.Message = _messages.GetValueOrDefault(typeName) ?? WellKnownTypes.Find(typeName);
            if (field.Choices is null && field.Message is null)
            {
                throw new FormatException($"the Protobuf schema names the type {typeName}, which neither it nor its references declare");
            }
        }
    }

    /// <summary>Gets the types at the top of the file, in their order.</summary>
    public IReadOnlyList<ProtobufMessage> Messages { get; } = [];

    /// <summary>Reads a file.</summary>
    /// <param name="text">Its text, or its descriptor in base64.</param>
    /// <param name="references">The files that it imports, each after those that it imports itself; Google's own need not be there.</param>
    /// <exception cref="FormatException">It cannot be read; says why.</exception>
    public static ProtobufFile Parse(string text, IEnumerable<(string Name, string Text)> references)
    {
        const string main = "(schema)";
        var set = new FileDescriptorSet();
        List<FileDescriptorProto> described = [];
        foreach ((string name, string content) in references.Append((main, text)))
        {
            if (TryDescribe(content) is { } descriptor)
            {
                described.Add(descriptor);
            }
            else
            {
                set.Add(name, includeInOutput: true, new StringReader(content));
            }
        }

        set.Process();
        Error[] errors = set.GetErrors().Where(static error => error.IsError).ToArray();
        return errors.Length > 0
            ? throw new FormatException($"it is not a Protobuf file: {errors[0].Message} (line {errors[0].LineNumber})")
            : new ProtobufFile(set.Files.Concat(described), set.Files.Find(static file => file.Name == main) ?? described[^1]);
    }

    // A text of Protobuf has spaces and braces, which base64 has not.
    private static FileDescriptorProto? TryDescribe(string text)
    {
        byte[] bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out int length))
        {
            return null;
        }

        return Serializer.Deserialize<FileDescriptorProto>(bytes.AsSpan(0, length));
    }

    private ProtobufMessage Declare(DescriptorProto type, string scope, bool isProto3)
    {
        var message = new ProtobufMessage { Name = $"{scope}.{type.Name}", IsMapEntry = type.Options?.MapEntry == true };
        _messages[message.Name] = message;
        type.EnumTypes.ForEach(inner => Declare(inner, message.Name));
        foreach (DescriptorProto inner in type.NestedTypes)
        {
            ProtobufMessage nested = Declare(inner, message.Name, isProto3);
            if (!nested.IsMapEntry)
            {
                message.Nested.Add(nested); // The types of maps are no declarations: Confluent's indexes leave them out.
            }
        }

        foreach (FieldDescriptorProto field in type.Fields)
        {
            Declare(field, message, isProto3);
        }

        return message;
    }

    private void Declare(FieldDescriptorProto field, ProtobufMessage message, bool isProto3)
    {
        bool isRepeated = field.label == FieldDescriptorProto.Label.LabelRepeated;
        bool hasPresence =
            !isProto3
            || isRepeated
            || field.Proto3Optional
            || field.ShouldSerializeOneofIndex()
            || field.type == FieldDescriptorProto.Type.TypeMessage;
        var declared = new ProtobufField
        {
            Name = Encoding.UTF8.GetBytes(field.Name),
            Number = field.Number,
            Index = message.Fields.Count,
            Type = field.type,
            IsRepeated = isRepeated,
            IsImplicit = !hasPresence,
        };
        message.Add(declared);
        if (field.type is FieldDescriptorProto.Type.TypeMessage or FieldDescriptorProto.Type.TypeEnum)
        {
            _unresolved.Add((declared, field.TypeName));
        }
    }

    // Of two names of a number (an alias) the first counts.
    private void Declare(EnumDescriptorProto type, string scope)
    {
        Dictionary<int, byte[]> names = [];
        foreach (EnumValueDescriptorProto value in type.Values)
        {
            names.TryAdd(value.Number, Encoding.UTF8.GetBytes(value.Name));
        }

        _enums[$"{scope}.{type.Name}"] = names;
    }
}
