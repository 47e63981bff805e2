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
    public bool HasHeaders => All.Any(static path => path.Source == FieldSource.Header);

    /// <summary>Gets the paths into the record.</summary>
    internal IReadOnlyList<FieldPath> Paths => [.. All.Where(static path => path.Source == FieldSource.Field)];

    private IEnumerable<FieldPath> All =>
        Fields.Select(static pair => pair.Value).Prepend(Item).SelectMany(static path => path.Alternatives);

    /// <summary>Parses the mapping of files, whose records have neither a key nor headers.</summary>
    /// <exception cref="FieldMapException">The text is invalid: names the part and what is allowed.</exception>
    public static ItemMap ParseOfFiles(string text)
    {
        ItemMap map = Parse(text);
        return map.All.FirstOrDefault(static path => path.Source is FieldSource.Key or FieldSource.Header) is { } metadata
            ? throw new FieldMapException($"'{metadata}' in '{text}' is of topics; a file's records have columns only.")
            : map;
    }

    /// <summary>The mapping for flat rows: a path's names joined by dots are one column's name.</summary>
    internal ItemMap Flat() => new(Item.Flat(), [.. Fields.Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.Flat()))]);

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
