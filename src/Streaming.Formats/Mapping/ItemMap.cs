namespace Streaming.Formats.Mapping;

/// <summary>
/// Maps fields of a catalogue record: <c>item=after.sku,title=after.name,brand=after.brand</c>. Every name except item is a text
/// field of the item, or a feature group if one of that name is declared.
/// </summary>
public sealed class ItemMap
{
    private ItemMap(FieldPath item, IReadOnlyList<KeyValuePair<string, FieldPath>> fields)
    {
        Item = item;
        Fields = fields;
    }

    /// <summary>Gets the source of the item's id.</summary>
    public FieldPath Item { get; }

    /// <summary>Gets the other fields.</summary>
    public IReadOnlyList<KeyValuePair<string, FieldPath>> Fields { get; }

    /// <summary>Gets a value indicating whether a value comes from a header.</summary>
    public bool HasHeaders =>
        Fields
            .Select(static pair => pair.Value)
            .Prepend(Item)
            .SelectMany(static path => path.Alternatives)
            .Any(static path => path.Source == FieldSource.Header);

    /// <summary>Parses a mapping.</summary>
    /// <exception cref="FieldMapException">The text is invalid: names the part and what is allowed.</exception>
    public static ItemMap Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var fields = new List<KeyValuePair<string, FieldPath>>();
        var reader = new FieldMapReader(text);
        while (reader.TryReadPair(out string name, out FieldPath? path))
        {
            if (fields.Exists(field => field.Key == name))
            {
                throw new FieldMapException($"'{name}' is given twice in '{text}'.");
            }

            if (path!.Alternatives.Any(static one => one.ListStep >= 0 || one.Source == FieldSource.Timestamp))
            {
                throw new FieldMapException(
                    $"'{string.Join('|', path.Alternatives)}' in '{text}' is for events; a catalogue record is one item."
                );
            }

            fields.Add(new(name, path));
        }

        int item = fields.FindIndex(static field => field.Key == "item");
        return item < 0
            ? throw new FieldMapException($"'{text}' lacks the item; add item=….")
            : new ItemMap(fields[item].Value, [.. fields.Where(static field => field.Key != "item")]);
    }
}
