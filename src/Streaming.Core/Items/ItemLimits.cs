namespace Streaming.Core.Items;

/// <summary>Bounds of a catalogue record.</summary>
public sealed class ItemLimits
{
    /// <summary>Gets or sets the declared feature groups and their lengths. A declared group of another length is refused, one that
    /// is not declared is left out. Empty (the default): any group is taken as it is.</summary>
    public IReadOnlyDictionary<string, int> FeatureGroups { get; set; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Gets or sets the attributes that are taken from a record. Empty (the default): none.</summary>
    public IReadOnlyList<AttributeDefinition> Attributes { get; set; } = [];

    /// <summary>Gets or sets the text fields whose lists are kept apart, value by value, because the model takes them as categories.
    /// Empty (the default): none.</summary>
    public IReadOnlySet<string> Categories { get; set; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Gets or sets the largest number of texts of an attribute. Default 64.</summary>
    public int MaxAttributeTexts { get; set; } = 64;

    /// <summary>Gets or sets the largest number of UTF-8 bytes of an attribute's text. Default 256.</summary>
    public int MaxAttributeLength { get; set; } = 256;

    /// <summary>Gets or sets the largest number of feature groups of an item. Default 16.</summary>
    public int MaxGroups { get; set; } = 16;

    /// <summary>Gets or sets the largest number of values in a feature group. Default 8,192.</summary>
    public int MaxGroupLength { get; set; } = 8192;

    /// <summary>Gets or sets the largest magnitude of a feature value. Default 1e6.</summary>
    public float MaxMagnitude { get; set; } = 1e6f;

    /// <summary>Gets or sets the largest number of text fields of an item. Default 64.</summary>
    public int MaxTextFields { get; set; } = 64;

    /// <summary>Gets or sets the largest number of characters in a text field. Default 65,536.</summary>
    public int MaxTextLength { get; set; } = 65_536;
}
