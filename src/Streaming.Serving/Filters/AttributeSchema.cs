using System.Text;
using System.Text.Json;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;

namespace Streaming.Serving.Filters;

/// <summary>The attributes of a generation's items, and the texts that occur in them.</summary>
internal sealed class AttributeSchema
{
    /// <summary>Of a generation without attributes.</summary>
    public static readonly AttributeSchema None = new([]);

    private readonly byte[][] _names;
    private readonly ValueCodes[] _codes;
    private readonly AttributeRow _row;
    private readonly char[] _text = new char[ItemFactsValue.MaxAttributeBytes];

    public AttributeSchema(IReadOnlyList<AttributeDefinition> fields)
    {
        Fields = fields;
        _names = [.. fields.Select(static field => Encoding.UTF8.GetBytes(field.Name))];
        _codes = [.. fields.Select(static _ => new ValueCodes())];
        _row = new AttributeRow(fields.Count);
    }

    /// <summary>Gets the attributes.</summary>
    public IReadOnlyList<AttributeDefinition> Fields { get; }

    /// <summary>The attributes that a generation record names. A kind that this reader does not know is left out.</summary>
    public static AttributeSchema Of(IReadOnlyList<string> attributes)
    {
        AttributeDefinition[] fields = [.. attributes.Select(Parse).OfType<AttributeDefinition>().DistinctBy(static field => field.Name)];
        return fields.Length == 0 ? None : new AttributeSchema(fields);

        static AttributeDefinition? Parse(string text) =>
            AttributeDefinition.TryParse(text, out AttributeDefinition? attribute) ? attribute : null;
    }

    /// <summary>The texts of a field; true and false of a boolean one.</summary>
    public ValueCodes CodesOf(int field) => _codes[field];

    /// <summary>The index of a field.</summary>
    /// <exception cref="ItemFilterException">There is none of that name.</exception>
    public int IndexOf(string name)
    {
        for (int field = 0; field < Fields.Count; field++)
        {
            if (Fields[field].Name == name)
            {
                return field;
            }
        }

        string fields = string.Join(", ", Fields.Select(static field => $"{field.Name} ({Describe(field.Kind)})"));
        throw new ItemFilterException(
            $"there is no field \"{name}\" to filter by; the fields are: "
                + $"{(fields.Length > 0 ? fields : "none, because the trainer's STREAMING__Items__Attributes names none")}"
        );
    }

    /// <summary>What a kind is called in messages.</summary>
    public static string Describe(AttributeKind kind) =>
        kind switch
        {
            AttributeKind.Text => "text",
            AttributeKind.Texts => "list of texts",
            AttributeKind.Number => "number",
            _ => "true or false",
        };

    /// <summary>Reads what is stored of an item. Writer only; the row is overwritten by the next.</summary>
    /// <param name="value">The stored value; empty: there is none.</param>
    /// <param name="row">The attributes; without any when the value is refused.</param>
    public EmbeddingFault TryRead(ReadOnlySpan<byte> value, out AttributeRow row)
    {
        row = _row;
        row.Clear();
        if (value.IsEmpty)
        {
            return EmbeddingFault.None;
        }

        EmbeddingFault fault = ItemFactsValue.TryRead(value, out ItemFacts facts, out ReadOnlySpan<byte> attributes);
        row.Facts = facts;
        if (fault != EmbeddingFault.None || attributes.IsEmpty)
        {
            return fault;
        }

        try
        {
            Read(attributes, row);
            return EmbeddingFault.None;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The checksum is right: the writer was wrong.
            row.Clear();
            return EmbeddingFault.Corrupt;
        }
    }

    private void Read(ReadOnlySpan<byte> json, AttributeRow row)
    {
        Utf8JsonReader reader = new(json);
        reader.Read();
        for (int next = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; )
        {
            int field = Find(in reader, next);
            reader.Read();
            if (field < 0)
            {
                reader.Skip();
                continue;
            }

            next = field + 1;
            Read(ref reader, field, row);
        }
    }

    /// <summary>Fields are written in the order of the setting, so that the next one is usually the right one.</summary>
    private int Find(in Utf8JsonReader reader, int next)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            int field = (next + i) % _names.Length;
            if (reader.ValueTextEquals(_names[field]))
            {
                return field;
            }
        }

        return -1;
    }

    /// <summary>A value of another kind was written by an earlier setting, and is left out.</summary>
    private void Read(ref Utf8JsonReader reader, int field, AttributeRow row)
    {
        switch (Fields[field].Kind, reader.TokenType)
        {
            case (AttributeKind.Text, JsonTokenType.String):
                row.Codes[field].Add(Code(in reader, field));
                break;
            case (AttributeKind.Texts, JsonTokenType.StartArray):
                while (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    row.Codes[field].Add(Code(in reader, field));
                }

                break;
            case (AttributeKind.Number, JsonTokenType.Number):
                row.Numbers[field] = reader.GetDouble();
                break;
            case (AttributeKind.Boolean, JsonTokenType.True or JsonTokenType.False):
                row.Codes[field].Add(_codes[field].Add(reader.TokenType == JsonTokenType.True ? "true" : "false"));
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private int Code(in Utf8JsonReader reader, int field) => _codes[field].Add(_text.AsSpan(0, reader.CopyString(_text)));
}
