namespace Streaming.Formats.Records;

/// <summary>What a value of a record is.</summary>
public enum ValueKind
{
    /// <summary>There is no such value.</summary>
    Missing,

    /// <summary>Null.</summary>
    Null,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A number, as text.</summary>
    Number,

    /// <summary>Text, UTF-8; bytes that are not are kept as they are.</summary>
    Text,

    /// <summary>An instant that the format itself declares as one: Unix milliseconds.</summary>
    Time,

    /// <summary>A date and time without a zone, as the format declares: milliseconds since 1970 on the clock of that place.</summary>
    LocalTime,

    /// <summary>Named values.</summary>
    Fields,

    /// <summary>Values one after another.</summary>
    List,
}
