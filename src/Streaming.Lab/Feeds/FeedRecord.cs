using Streaming.Formats.Files;

namespace Streaming.Lab.Feeds;

/// <summary>A record to send to Kafka.</summary>
internal readonly record struct FeedRecord
{
    /// <summary>Gets the kind, which determines the other properties that are set.</summary>
    public required FeedKind Kind { get; init; }

    /// <summary>Gets the event.</summary>
    public EventRow Event { get; init; }

    /// <summary>Gets the id of the catalogue record's item.</summary>
    public string ItemId { get; init; }

    /// <summary>Gets the catalogue record's text fields.</summary>
    public IReadOnlyDictionary<string, string> Text { get; init; }

    /// <summary>Gets the catalogue record's feature groups.</summary>
    public IReadOnlyDictionary<string, float[]> Features { get; init; }

    /// <summary>Gets the catalogue record's attributes, a JSON object; null: none.</summary>
    public string? Attributes { get; init; }
}
