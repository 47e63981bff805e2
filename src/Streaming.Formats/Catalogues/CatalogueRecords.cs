using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.Catalogues;

/// <summary>
/// Maps records of JSON, Parquet and Avro to catalogue records. The objects <c>text</c>, <c>features</c> and <c>attributes</c> are those
/// of <c>schemas/item.schema.json</c>, whose readers skip fields that it does not name. A record without these is flat: a list of
/// numbers is a feature group, anything else that is not an object text.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="tell">Receives a line for each field that is not used.</param>
internal sealed class CatalogueRecords(string path, Action<string> tell)
{
    private const string TextField = "text";
    private const string FeaturesField = "features";
    private const string AttributesField = "attributes";
    private readonly CatalogueCheck _check = new(path);
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <summary>Maps a record.</summary>
    /// <exception cref="InputFileException">It is not valid.</exception>
    public CatalogueItem Map(RecordTree record, RecordReader records)
    {
        string position = records.Position;
        if (records.Problem is not null || record.Root.Kind != ValueKind.Fields)
        {
            throw new InputFileException($"{path}, {position}: {records.Problem ?? "not an object with named fields"}");
        }

        RecordValue id = FindId(record.Root);
        if (id.Kind is not (ValueKind.Text or ValueKind.Number))
        {
            throw new InputFileException($"{path}, {position}: no item id; allowed: a text or a number named {KnownNames.OfItems}");
        }

        var text = new Dictionary<string, string>(StringComparer.Ordinal);
        var features = new Dictionary<string, float[]>(StringComparer.Ordinal);
        string? attributes = null;
        bool isContract = record.Root.Find("text"u8).Kind == ValueKind.Fields || record.Root.Find("features"u8).Kind == ValueKind.Fields;
        for (RecordValue field = record.Root.First; field.Kind != ValueKind.Missing; field = field.Next)
        {
            if (field.Name.SequenceEqual(id.Name) || field.IsNothing)
            {
                continue;
            }

            string name = Encoding.UTF8.GetString(field.Name);
            if (field.Kind == ValueKind.Fields && name is TextField or FeaturesField)
            {
                for (RecordValue inner = field.First; inner.Kind != ValueKind.Missing; inner = inner.Next)
                {
                    Add(Encoding.UTF8.GetString(inner.Name), inner, position, text, features);
                }
            }
            else if (field.Kind == ValueKind.Fields && name == AttributesField)
            {
                attributes = AttributeJson.Write(field);
            }
            else if (!isContract)
            {
                Add(name.Trim().ToLowerInvariant(), field, position, text, features);
            }
        }

        _check.Fields(text.Keys, features.Keys, position);
        return new CatalogueItem
        {
            Id = _check.Id(IdText.Of(id), position, Encoding.UTF8.GetString(id.Name)),
            Position = position,
            Text = text,
            Features = features,
            Attributes = attributes,
        };
    }

    /// <summary>Maps the fields of a record that a mapping names.</summary>
    /// <exception cref="InputFileException">It is not valid.</exception>
    public CatalogueItem Map(RecordTree record, RecordReader records, ItemMapper fields, ItemMap map)
    {
        string position = records.Position;
        DeadLetterReason reason = records.Problem is null ? fields.Map(record, origin: null) : DeadLetterReason.Malformed;
        if (reason != DeadLetterReason.None)
        {
            string what = reason == DeadLetterReason.NoItem ? $"no item id in {map.Item}; allowed: a text or a number" : "not an object";
            throw new InputFileException($"{path}, {position}: {records.Problem ?? what}");
        }

        var text = new Dictionary<string, string>(StringComparer.Ordinal);
        var features = new Dictionary<string, float[]>(StringComparer.Ordinal);
        string? attributes = null;
        foreach ((string name, FieldPath from) in map.Fields)
        {
            RecordValue value = fields.Field(from);
            if (value.Kind == ValueKind.Fields && name == AttributesField)
            {
                attributes = AttributeJson.Write(value);
            }
            else if (!value.IsNothing)
            {
                Add(name, value, position, text, features);
            }
        }

        _check.Fields(text.Keys, features.Keys, position);
        return new CatalogueItem
        {
            Id = _check.Id(fields.ItemId, position, map.Item.ToString()),
            Position = position,
            Text = text,
            Features = features,
            Attributes = attributes,
        };
    }

    private static RecordValue FindId(RecordValue root)
    {
        RecordValue found = default;
        int best = int.MaxValue;
        for (RecordValue field = root.First; field.Kind != ValueKind.Missing; field = field.Next)
        {
            int rank = KnownNames.RankOfItem(field.Name);
            if (rank >= 0 && rank < best)
            {
                (found, best) = (field, rank);
            }
        }

        return found;
    }

    private void Add(string name, RecordValue value, string position, Dictionary<string, string> text, Dictionary<string, float[]> features)
    {
        switch (value.Kind)
        {
            case ValueKind.Null:
                break;
            case ValueKind.Fields:
                TellOnce(name, "is an object");
                break;
            case ValueKind.List when value.First.Kind == ValueKind.Number:
                features[name] = _check.Group([.. Elements(value).Select(part => Number(part, position, name))], position, name);
                break;
            case ValueKind.List:
                string[] parts = [.. Elements(value).Where(static part => !part.IsNothing).Select(part => Text(part, position, name))];
                if (parts.Length > 0)
                {
                    text[name] = string.Join(ItemChange.ListSeparator, parts);
                }

                break;
            default:
                text[name] = Text(value, position, name);
                break;
        }
    }

    private double Number(RecordValue value, string position, string name) =>
        value.Kind == ValueKind.Number && Utf8Parser.TryParse(value.Text, out double number, out int length) && length == value.Text.Length
            ? number
            : throw new InputFileException($"{path}, {position}, column {name}: a list of numbers has a value that is not a number");

    private string Text(RecordValue value, string position, string name)
    {
        switch (value.Kind)
        {
            case ValueKind.Time or ValueKind.LocalTime:
                return DateTimeOffset
                    .FromUnixTimeMilliseconds(value.Milliseconds)
                    .UtcDateTime.ToString(value.Kind == ValueKind.Time ? "O" : "s", CultureInfo.InvariantCulture);
            case ValueKind.Fields or ValueKind.List:
                TellOnce(name, "has lists or objects within a list");
                return string.Empty;
            default:
                return _check.Text(value.Text, position, name);
        }
    }

    private static IEnumerable<RecordValue> Elements(RecordValue list)
    {
        for (RecordValue part = list.First; part.Kind != ValueKind.Missing; part = part.Next)
        {
            yield return part;
        }
    }

    private void TellOnce(string name, string what)
    {
        if (_told.Add(name))
        {
            tell($"{path}: field {name} {what} and is not used; allowed: text, numbers, truth values, and lists of them");
        }
    }
}
