using System.Buffers.Binary;
using Streaming.Core.Histories;

namespace Streaming.Core.Embeddings;

/// <summary>
/// The bytes of a user's recent items: "UH", layout version 1, a zero byte, the count (u16), CRC-32C (u32) of all other bytes,
/// the age (newest time u48, sum of times u64), then the items' hashes (u64 each), oldest first. All little-endian; see
/// schemas/embedding-value.md.
/// </summary>
public static class UserHistoryValue
{
    /// <summary>The maximum number of items in a value.</summary>
    public const int MaxItems = 4096;

    private const ushort Magic = 0x4855;
    private const byte Version = 1;
    private const int CountAt = 4;
    private const int ChecksumAt = 6;
    private const int AgeAt = 10;
    private const int HeaderLength = 24;

    /// <summary>Gets the length in bytes of a value with the given number of items.</summary>
    public static int Length(int items) => HeaderLength + (8 * items);

    /// <summary>Encodes a history.</summary>
    /// <param name="items">Hashes of the items' ids, oldest first; at most <see cref="MaxItems"/>.</param>
    /// <param name="age">The age of the history.</param>
    /// <param name="destination">Receives <see cref="Length"/> bytes; may be longer.</param>
    /// <exception cref="ArgumentException">There are too many items, or the destination is too short.</exception>
    public static void Encode(ReadOnlySpan<ulong> items, HistoryAge age, Span<byte> destination)
    {
        if (items.Length > MaxItems || destination.Length < Length(items.Length))
        {
            throw new ArgumentException(
                $"{items.Length} items do not fit {destination.Length} bytes; allowed: up to {MaxItems} items, {HeaderLength} bytes "
                    + "plus 8 per item.",
                nameof(items)
            );
        }

        Span<byte> value = destination[..Length(items.Length)];
        BinaryPrimitives.WriteUInt16LittleEndian(value, Magic);
        value[2] = Version;
        value[3] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(value[CountAt..], (ushort)items.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(value[AgeAt..], (uint)age.NewestTime);
        BinaryPrimitives.WriteUInt16LittleEndian(value[(AgeAt + 4)..], (ushort)(age.NewestTime >> 32));
        BinaryPrimitives.WriteInt64LittleEndian(value[(AgeAt + 6)..], age.TimeSum);
        for (int i = 0; i < items.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value[(HeaderLength + (8 * i))..], items[i]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(value[ChecksumAt..], ChecksumOf(value));
    }

    /// <summary>Decodes a history. Never throws, whatever the bytes.</summary>
    /// <param name="value">The bytes from the store.</param>
    /// <param name="items">Receives the newest items that fit, oldest first.</param>
    /// <param name="count">The number of items written.</param>
    /// <param name="age">The age of the history.</param>
    /// <returns>The fault, or <see cref="EmbeddingFault.None"/>.</returns>
    public static EmbeddingFault TryDecode(ReadOnlySpan<byte> value, Span<ulong> items, out int count, out HistoryAge age)
    {
        count = 0;
        age = default;
        EmbeddingFault fault = ValueHeader.Check(value, Magic, Version, HeaderLength);
        if (fault != EmbeddingFault.None)
        {
            return fault;
        }

        int stored = BinaryPrimitives.ReadUInt16LittleEndian(value[CountAt..]);
        if (stored > MaxItems || value.Length < Length(stored))
        {
            return stored > MaxItems ? EmbeddingFault.Corrupt : EmbeddingFault.Truncated;
        }

        if (value.Length > Length(stored) || BinaryPrimitives.ReadUInt32LittleEndian(value[ChecksumAt..]) != ChecksumOf(value))
        {
            return EmbeddingFault.Corrupt;
        }

        age = new HistoryAge(
            BinaryPrimitives.ReadUInt32LittleEndian(value[AgeAt..])
                | ((long)BinaryPrimitives.ReadUInt16LittleEndian(value[(AgeAt + 4)..]) << 32),
            BinaryPrimitives.ReadInt64LittleEndian(value[(AgeAt + 6)..])
        );
        count = Math.Min(stored, items.Length);
        ReadOnlySpan<byte> newest = value[(HeaderLength + (8 * (stored - count)))..];
        for (int i = 0; i < count; i++)
        {
            items[i] = BinaryPrimitives.ReadUInt64LittleEndian(newest[(8 * i)..]);
        }

        return EmbeddingFault.None;
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> value) =>
        Checksum.End(Checksum.Append(Checksum.Append(Checksum.Start, value[..ChecksumAt]), value[AgeAt..]));
}
