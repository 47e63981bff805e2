using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Streaming.Transport.Kafka.Records;

namespace Streaming.Transport.Kafka.DeadLetters;

/// <summary>A dead letter as its topic holds it.</summary>
public sealed class StoredDeadLetter
{
    private const string Unknown = "(unknown)";

    internal StoredDeadLetter(ConsumeResult<byte[]?, byte[]?> record)
    {
        Partition = record.Partition.Value;
        Offset = record.Offset.Value;
        Time = record.Message.Timestamp.UtcDateTime;
        Key = record.Message.Key;
        Value = record.Message.Value;
        Headers = record.Message.Headers is { } headers
            ? [.. headers.Select(static header => (header.Key, header.GetValueBytes() ?? []))]
            : [];
        Reason = Text(DeadLetterHeaders.Reason) ?? Unknown;
        Topic = Text(DeadLetterHeaders.Topic) ?? Unknown;
        OriginPartition = (int?)Number(DeadLetterHeaders.Partition, int.MaxValue);
        OriginOffset = Number(DeadLetterHeaders.Offset, long.MaxValue);
        OriginTimestamp = Number(DeadLetterHeaders.Timestamp, 253_402_300_799_999);
        Explanation = Text(DeadLetterHeaders.Message) ?? string.Empty;
        IsTruncated = Find(DeadLetterHeaders.TruncatedFrom) is not null;
    }

    /// <summary>Gets its partition in the dead-letter topic.</summary>
    public int Partition { get; }

    /// <summary>Gets its offset there.</summary>
    public long Offset { get; }

    /// <summary>Gets when it was sent there, UTC.</summary>
    public DateTime Time { get; }

    /// <summary>Gets why the record could not be used: a name of DeadLetterReason.</summary>
    public string Reason { get; }

    /// <summary>Gets the topic that the record was read from.</summary>
    public string Topic { get; }

    /// <summary>Gets the record's partition there, or null.</summary>
    public int? OriginPartition { get; }

    /// <summary>Gets the record's offset there, or null.</summary>
    public long? OriginOffset { get; }

    /// <summary>Gets the record's own time, Unix milliseconds, or null.</summary>
    public long? OriginTimestamp { get; }

    /// <summary>Gets the reason in words; empty where an older worker sent it.</summary>
    public string Explanation { get; }

    /// <summary>Gets a value indicating whether the value was cut off, because the dead-letter topic did not take all of it.</summary>
    public bool IsTruncated { get; }

    /// <summary>Gets the record's key.</summary>
    public byte[]? Key { get; }

    /// <summary>Gets the record's value.</summary>
    public byte[]? Value { get; }

    /// <summary>Gets all headers, those of the original record among them.</summary>
    public IReadOnlyList<(string Name, byte[] Value)> Headers { get; }

    /// <summary>Gets the headers that the original record had, as far as they were read: all but the last of each name of ours.</summary>
    public IEnumerable<(string Name, byte[] Value)> OriginalHeaders =>
        Headers.Where(
            (header, index) => !DeadLetterHeaders.IsOwn(header.Name) || Headers.Skip(index + 1).Any(later => later.Name == header.Name)
        );

    private byte[]? Find(string name) => Headers.LastOrDefault(header => header.Name == name).Value;

    private string? Text(string name) => Find(name) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private long? Number(string name, long most) =>
        long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= most ? number : null;
}
