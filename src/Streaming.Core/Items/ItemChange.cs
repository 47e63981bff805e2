using Streaming.Core.Hashing;

namespace Streaming.Core.Items;

/// <summary>A record of the item catalogue: new or changed features of an item, or its removal.</summary>
/// <remarks>Travels in a <c>Batch</c>, so that it takes effect at one point of the stream, before the batch's examples.</remarks>
public sealed class ItemChange
{
    /// <summary>Separates the values of a text field that is a list, such as categories.</summary>
    public const char ListSeparator = '|';

    /// <summary>Gets the item's key: <see cref="XxHash64"/> of the id's UTF-8 bytes.</summary>
    public required ulong ItemKey { get; init; }

    /// <summary>Gets the item's id as the producer wrote it, at most 256 bytes of UTF-8.</summary>
    public required string ItemId { get; init; }

    /// <summary>Gets a value indicating whether the item was removed from the catalogue. It then has no features.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>Gets the dense feature groups by name ("text", "image", …). An absent group is all zeros.</summary>
    public IReadOnlyDictionary<string, float[]> Features { get; init; } = new Dictionary<string, float[]>(StringComparer.Ordinal);

    /// <summary>Gets the plain text fields by name ("title", "brand", …), for display and for hashed text features.</summary>
    public IReadOnlyDictionary<string, string> Text { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets the attributes, a JSON object of at most <c>ItemFactsValue.MaxAttributeBytes</c> UTF-8 bytes; null: none.</summary>
    public string? Attributes { get; init; }

    /// <summary>Gets when the record was produced, Unix milliseconds: the start of the freshness measurement.</summary>
    public long ProducedTime { get; init; }
}
