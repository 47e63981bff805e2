namespace Streaming.Formats.Catalogues;

/// <summary>A catalogue record of a file.</summary>
public sealed class CatalogueItem
{
    /// <summary>Gets the item's id, at most 256 bytes of UTF-8.</summary>
    public required string Id { get; init; }

    /// <summary>Gets where the record is in its file: "line 3", "row 17".</summary>
    public required string Position { get; init; }

    /// <summary>Gets the plain text fields by name; lists are joined by |.</summary>
    public IReadOnlyDictionary<string, string> Text { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets the dense feature groups by name.</summary>
    public IReadOnlyDictionary<string, float[]> Features { get; init; } = new Dictionary<string, float[]>(StringComparer.Ordinal);

    /// <summary>Gets the attributes, a JSON object; null: none.</summary>
    public string? Attributes { get; init; }
}
