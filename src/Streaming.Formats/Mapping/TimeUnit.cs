namespace Streaming.Formats.Mapping;

/// <summary>What a number that is a time counts since 1970.</summary>
public enum TimeUnit
{
    /// <summary>Whichever gives a time between 1990 and 2100.</summary>
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
