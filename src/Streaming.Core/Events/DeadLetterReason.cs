namespace Streaming.Core.Events;

/// <summary>Why a record cannot be used. The name, as written here, is the <c>reason</c> header of the dead-letter record.</summary>
public enum DeadLetterReason
{
    /// <summary>The record is good.</summary>
    None = 0,

    /// <summary>No value: events have no tombstones.</summary>
    Empty,

    /// <summary>More bytes than the setting allows, or more events in one record than a batch takes.</summary>
    TooLarge,

    /// <summary>The bytes are not a message of the configured format.</summary>
    Malformed,

    /// <summary>Begins like Confluent's wire format, but its header is cut off or out of bounds.</summary>
    BadWireHeader,

    /// <summary>A string is not UTF-8.</summary>
    InvalidUtf8,

    /// <summary>No user id.</summary>
    NoUser,

    /// <summary>No item id.</summary>
    NoItem,

    /// <summary>An id or a name is longer than 256 bytes.</summary>
    IdTooLong,

    /// <summary>No event type, and the types are strict.</summary>
    NoType,

    /// <summary>A type that is not configured, and the types are strict.</summary>
    UnknownType,

    /// <summary>No event time.</summary>
    NoTime,

    /// <summary>An event time before the earliest that is allowed: most often another unit than milliseconds.</summary>
    TimeOutOfRange,

    /// <summary>An event time beyond the allowed future.</summary>
    TimeInFuture,

    /// <summary>A number that is NaN, infinite or beyond its bounds.</summary>
    InvalidNumber,

    /// <summary>A catalogue record with more feature groups, text fields or bytes in one than the settings allow.</summary>
    TooManyFeatures,

    /// <summary>A feature group whose length is not the declared one.</summary>
    WrongFeatureLength,

    /// <summary>The record's key is another item than its value says.</summary>
    KeyMismatch,

    /// <summary>The schema registry has no schema of the id that the value names, or one that cannot be used.</summary>
    UnknownSchema,
}
