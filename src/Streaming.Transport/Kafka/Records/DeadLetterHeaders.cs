namespace Streaming.Transport.Kafka.Records;

/// <summary>The headers of a dead letter: our own, and the names that Kafka Connect gives its own, for tools that know those.</summary>
internal static class DeadLetterHeaders
{
    /// <summary>Why the record cannot be used: a name of DeadLetterReason.</summary>
    public const string Reason = "reason";

    /// <summary>The topic that the record was read from.</summary>
    public const string Topic = "topic";

    /// <summary>Its partition.</summary>
    public const string Partition = "partition";

    /// <summary>Its offset.</summary>
    public const string Offset = "offset";

    /// <summary>The record's own time, Unix milliseconds.</summary>
    public const string Timestamp = "timestamp";

    /// <summary>How long the value was, where the dead-letter topic did not take all of it.</summary>
    public const string TruncatedFrom = "truncated-from";

    /// <summary>What the names of Kafka Connect's headers begin with.</summary>
    public const string Connect = "__connect.errors.";

    /// <summary>The reason in words: the field, its value shortened, what is allowed.</summary>
    public const string Message = Connect + "exception.message";

    /// <summary>Whether a header is one that a dead letter has by itself.</summary>
    public static bool IsOwn(string name) =>
        name is Reason or Topic or Partition or Offset or Timestamp or TruncatedFrom || name.StartsWith(Connect, StringComparison.Ordinal);
}
