namespace Streaming.Core.Events;

/// <summary>Why a record was rejected. The name is the <c>reason</c> header of the dead-letter record.</summary>
public enum DeadLetterReason
{
    /// <summary>The record is valid.</summary>
    None = 0,

    /// <summary>No value: events have no tombstones.</summary>
    Empty,

    /// <summary>More bytes than the setting allows, or more events in one record than fit a batch.</summary>
    TooLarge,

    /// <summary>The bytes are not a message of the configured format.</summary>
    Malformed,

    /// <summary>Starts like Confluent's wire format, but its header is truncated or out of bounds.</summary>
    BadWireHeader,

    /// <summary>A string is not UTF-8.</summary>
    InvalidUtf8,

    /// <summary>No user id.</summary>
    NoUser,

    /// <summary>No item id.</summary>
    NoItem,

    /// <summary>An id or a name longer than 256 bytes.</summary>
    IdTooLong,

    /// <summary>No event type, and types are strict.</summary>
    NoType,

    /// <summary>A type that is not configured, and types are strict.</summary>
    UnknownType,

    /// <summary>No event time.</summary>
    NoTime,

    /// <summary>An event time before the earliest allowed one: usually a unit other than milliseconds.</summary>
    TimeOutOfRange,

    /// <summary>An event time too far in the future.</summary>
    TimeInFuture,

    /// <summary>A number that is NaN, infinite or out of bounds.</summary>
    InvalidNumber,

    /// <summary>A catalogue record with more feature groups, text fields or bytes in one of them than the settings allow.</summary>
    TooManyFeatures,

    /// <summary>A feature group of another length than declared.</summary>
    WrongFeatureLength,

    /// <summary>The record's key names another item than its value.</summary>
    KeyMismatch,

    /// <summary>The schema registry has no schema of the id that the value names, or one that cannot be used.</summary>
    UnknownSchema,
}
