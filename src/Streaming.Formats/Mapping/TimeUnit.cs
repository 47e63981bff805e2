namespace Streaming.Formats.Mapping;

/// <summary>The unit of a numeric time since 1970.</summary>
public enum TimeUnit
{
    /// <summary>The unit that gives a time between 1990 and 2100.</summary>
    Auto,

    /// <summary>Seconds.</summary>
    S,

    /// <summary>Milliseconds.</summary>
    Ms,

    /// <summary>Microseconds.</summary>
    Us,

    /// <summary>Nanoseconds.</summary>
    Ns,
}
