namespace Streaming.Encoders.Catalogues;

/// <summary>What became of the items of a catalogue so far.</summary>
public sealed record EncodeCounts
{
    /// <summary>Gets the number of items of the catalogue.</summary>
    public long Items { get; init; }

    /// <summary>Gets the number of items that were encoded.</summary>
    public long Encoded { get; init; }

    /// <summary>Gets the number of items that the file had already, unchanged.</summary>
    public long Unchanged { get; init; }

    /// <summary>Gets the number of items without any of the text fields.</summary>
    public long WithoutText { get; init; }

    /// <summary>Gets the number of items that name no picture.</summary>
    public long WithoutPicture { get; init; }

    /// <summary>Gets the number of items whose picture cannot be used.</summary>
    public long BadPictures { get; init; }

    /// <summary>Gets the number of items that the file had and the catalogue has no longer.</summary>
    public long Removed { get; init; }

    /// <summary>Gets the feature groups, as STREAMING__Model__FeatureGroups declares them.</summary>
    public string Groups { get; init; } = string.Empty;
}
