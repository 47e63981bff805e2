using System.Buffers.Binary;
using System.Text;

namespace Streaming.Core.Embeddings;

/// <summary>
/// The bytes of an item's facts: "AT", layout version 2, 0, the length of the attributes (u32), CRC-32C (u32) of all but these four
/// bytes, token (u32), step (u48), two zero bytes, events (u48), since (u48), popularity (u48), then the attributes: a JSON object of
/// UTF-8, or nothing. Version 1 has no popularity. All little-endian; see schemas/embedding-value.md.
/// </summary>
/// <remarks>Token and step are where an embedding has them, so that the store compares both by one rule.</remarks>
public static class ItemFactsValue
{
    /// <summary>The most bytes of attributes.</summary>
    public const int MaxAttributeBytes = 8192;

    private const ushort Magic = 0x5441;
    private const byte Version = 2;
    private const int LengthAt = 4;
    private const int ChecksumAt = 8;
    private const int TokenAt = 12;
    private const int StepAt = 16;
    private const int EventsAt = 24;
    private const int SinceAt = 30;
    private const int PopularityAt = 36;
    private const int FirstHeaderLength = 36;
    private const int HeaderLength = 42;

    /// <summary>Encodes facts.</summary>
    /// <param name="facts">The facts; attributes of at most <see cref="MaxAttributeBytes"/>, the numbers 0 … 2⁴⁸ − 1.</param>
    /// <param name="token">Fencing token of the trainer.</param>
    /// <param name="step">Training step, 0 … 2⁴⁸ − 1.</param>
    public static byte[] Encode(in ItemFacts facts, uint token, long step)
    {
        int length = facts.Attributes is { } json ? Encoding.UTF8.GetByteCount(json) : 0;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxAttributeBytes, nameof(facts));
        byte[] value = new byte[HeaderLength + length];
        BinaryPrimitives.WriteUInt16LittleEndian(value, Magic);
        value[2] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(LengthAt), length);
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(TokenAt), token);
        Write48(value.AsSpan(StepAt), step);
        Write48(value.AsSpan(EventsAt), facts.Events);
        Write48(value.AsSpan(SinceAt), facts.Since);
        Write48(value.AsSpan(PopularityAt), facts.Popularity);
        Encoding.UTF8.GetBytes(facts.Attributes ?? string.Empty, value.AsSpan(HeaderLength));
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(ChecksumAt), ChecksumOf(value));
        return value;
    }

    /// <summary>Reads facts without copying the attributes. Never throws, whatever the bytes are.</summary>
    /// <param name="value">What the store returned.</param>
    /// <param name="facts">Events, since and popularity; the attributes are not copied.</param>
    /// <param name="attributes">The attributes, UTF-8 JSON as the trainer wrote it; empty: none.</param>
    /// <returns>What is wrong with the bytes, or <see cref="EmbeddingFault.None"/>.</returns>
    public static EmbeddingFault TryRead(ReadOnlySpan<byte> value, out ItemFacts facts, out ReadOnlySpan<byte> attributes)
    {
        facts = default;
        attributes = default;
        EmbeddingFault fault = ValueHeader.Check(value, Magic, Version, FirstHeaderLength);
        if (fault != EmbeddingFault.None)
        {
            return fault;
        }

        int header = value[2] == Version ? HeaderLength : FirstHeaderLength;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(value[LengthAt..]);
        if (length <= MaxAttributeBytes && value.Length < header + length)
        {
            return EmbeddingFault.Truncated;
        }

        if (
            length > MaxAttributeBytes
            || value.Length > header + length
            || BinaryPrimitives.ReadUInt32LittleEndian(value[ChecksumAt..]) != ChecksumOf(value)
        )
        {
            return EmbeddingFault.Corrupt;
        }

        facts = new ItemFacts(null, Read48(value[EventsAt..]), Read48(value[SinceAt..]))
        {
            Popularity = header == HeaderLength ? Read48(value[PopularityAt..]) : 0,
        };
        attributes = value[header..];
        return EmbeddingFault.None;
    }

    /// <summary>Gets the checksum that encoded facts carry.</summary>
    public static uint ChecksumIn(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt32LittleEndian(value[ChecksumAt..]);

    private static void Write48(Span<byte> destination, long number)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)number);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], (ushort)(number >> 32));
    }

    private static long Read48(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt32LittleEndian(source) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) << 32);

    private static uint ChecksumOf(ReadOnlySpan<byte> value) =>
        Checksum.End(Checksum.Append(Checksum.Append(Checksum.Start, value[..ChecksumAt]), value[TokenAt..]));
}
