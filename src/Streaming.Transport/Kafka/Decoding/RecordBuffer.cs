using Confluent.Kafka;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// A key or value of the record at hand, copied out of the client's memory into one buffer that is used again for the
/// next: a deserializer that makes nothing new.
/// </summary>
internal sealed class RecordBuffer : IDeserializer<RecordBuffer>
{
    private byte[] _bytes = new byte[1024];
    private int _length;

    /// <summary>Gets a value indicating whether it is null, which is not the same as empty.</summary>
    public bool IsNull { get; private set; }

    /// <summary>Gets the bytes, valid until the next record is polled.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <inheritdoc/>
    public RecordBuffer Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        if (data.Length > _bytes.Length)
        {
            _bytes = new byte[Math.Max(data.Length, _bytes.Length * 2)];
        }

        data.CopyTo(_bytes);
        _length = data.Length;
        IsNull = isNull;
        return this;
    }

    /// <summary>A copy that stays, or null.</summary>
    public byte[]? ToArray() => IsNull ? null : Bytes.ToArray();
}
