using Confluent.Kafka;
using Streaming.Formats.Mapping;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Key, headers and time of the record at hand.</summary>
internal sealed class KafkaRecordOrigin : RecordOrigin
{
    private Message<RecordBuffer, RecordBuffer>? _message;
    private long _time;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Key => _message is null ? [] : _message.Key.Bytes;

    /// <inheritdoc/>
    public override long? Timestamp => _time;

    /// <summary>Goes to a record.</summary>
    /// <param name="message">The record.</param>
    /// <param name="time">When it was produced, Unix milliseconds.</param>
    public KafkaRecordOrigin At(Message<RecordBuffer, RecordBuffer> message, long time)
    {
        _message = message;
        _time = time;
        return this;
    }

    /// <inheritdoc/>
    public override bool TryFindHeader(string name, out ReadOnlySpan<byte> value)
    {
        byte[]? bytes = null;
        bool isThere = _message?.Headers is { } headers && headers.TryGetLastBytes(name, out bytes);
        value = bytes;
        return isThere && bytes is not null;
    }
}
