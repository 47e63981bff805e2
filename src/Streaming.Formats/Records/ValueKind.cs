namespace Streaming.Formats.Records;

/// <summary>The kind of a record's value.</summary>
public enum ValueKind
{
    /// <summary>No such value.</summary>
    Missing,

    /// <summary>Null.</summary>
    Null,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A number, as text.</summary>
    Number,

    /// <summary>Text, UTF-8; invalid bytes are kept.</summary>
    Text,

    /// <summary>An instant, as declared by the format: Unix milliseconds.</summary>
    Time,

    /// <summary>A date and time without a zone, as declared by the format: local milliseconds since 1970.</summary>
    LocalTime,

    /// <summary>Named values.</summary>
    Fields,

    /// <summary>A sequence of values.</summary>
    List,
}
