using System.Buffers.Binary;

namespace Streaming.Core.Embeddings;

/// <summary>
/// The bytes of an item's lists: "CL", layout version 1, window − 1 (u8), the number of neighbors and of successors (u16 each),
/// CRC-32C (u32) of all but these four bytes, token (u32), step (u48), two zero bytes, then neighbors and successors, each the hash
/// of an id (u64) and a weight (f32), best first. All little-endian; see schemas/embedding-value.md.
/// </summary>
/// <remarks>Token and step are where an embedding has them, so that the store compares both by one rule.</remarks>
public static class RelatedItemsValue
{
    /// <summary>The most items of a list.</summary>
    public const int MaxItems = 1024;

    private const ushort Magic = 0x4C43;
    private const byte Version = 1;
    private const int WindowAt = 3;
    private const int NeighborsAt = 4;
    private const int SuccessorsAt = 6;
    private const int ChecksumAt = 8;
    private const int TokenAt = 12;
    private const int StepAt = 16;
    private const int HeaderLength = 24;
    private const int ItemLength = 12;

    /// <summary>Encodes lists.</summary>
    /// <param name="items">The lists, at most <see cref="MaxItems"/> each.</param>
    /// <param name="token">Fencing token of the trainer.</param>
    /// <param name="step">Training step, 0 … 2⁴⁸ − 1.</param>
    public static byte[] Encode(RelatedItems items, uint token, long step)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(items.Neighbors.Count, MaxItems, nameof(items));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(items.Successors.Count, MaxItems, nameof(items));
        byte[] value = new byte[HeaderLength + (ItemLength * (items.Neighbors.Count + items.Successors.Count))];
        BinaryPrimitives.WriteUInt16LittleEndian(value, Magic);
        value[2] = Version;
        value[WindowAt] = (byte)(items.Window - 1);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(NeighborsAt), (ushort)items.Neighbors.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(SuccessorsAt), (ushort)items.Successors.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(TokenAt), token);
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(StepAt), (uint)step);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(StepAt + 4), (ushort)(step >> 32));
        Span<byte> rest = value.AsSpan(HeaderLength);
        Write(items.Neighbors, ref rest);
        Write(items.Successors, ref rest);
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(ChecksumAt), ChecksumOf(value));
        return value;
    }

    /// <summary>Decodes lists. Never throws, whatever the bytes are.</summary>
    /// <param name="value">What the store returned.</param>
    /// <param name="items">The lists; null when the bytes are refused.</param>
    /// <returns>What is wrong with the bytes, or <see cref="EmbeddingFault.None"/>.</returns>
    public static EmbeddingFault TryDecode(ReadOnlySpan<byte> value, out RelatedItems? items)
    {
        items = null;
        EmbeddingFault fault = ValueHeader.Check(value, Magic, Version, HeaderLength);
        if (fault != EmbeddingFault.None)
        {
            return fault;
        }

        int neighbors = BinaryPrimitives.ReadUInt16LittleEndian(value[NeighborsAt..]);
        int successors = BinaryPrimitives.ReadUInt16LittleEndian(value[SuccessorsAt..]);
        int length = HeaderLength + (ItemLength * (neighbors + successors));
        if (value.Length < length)
        {
            return EmbeddingFault.Truncated;
        }

        if (
            value.Length > length
            || neighbors > MaxItems
            || successors > MaxItems
            || BinaryPrimitives.ReadUInt32LittleEndian(value[ChecksumAt..]) != ChecksumOf(value)
        )
        {
            return EmbeddingFault.Corrupt;
        }

        items = new RelatedItems(
            value[WindowAt] + 1,
            Read(value.Slice(HeaderLength, ItemLength * neighbors)),
            Read(value.Slice(HeaderLength + (ItemLength * neighbors), ItemLength * successors))
        );
        return EmbeddingFault.None;
    }

    private static void Write(IReadOnlyList<RelatedItem> items, ref Span<byte> destination)
    {
        foreach (RelatedItem item in items)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination, item.Item);
            BinaryPrimitives.WriteSingleLittleEndian(destination[8..], item.Weight);
            destination = destination[ItemLength..];
        }
    }

    private static RelatedItem[] Read(ReadOnlySpan<byte> bytes)
    {
        var items = new RelatedItem[bytes.Length / ItemLength];
        for (int i = 0; i < items.Length; i++)
        {
            ReadOnlySpan<byte> item = bytes.Slice(i * ItemLength, ItemLength);
            items[i] = new RelatedItem(BinaryPrimitives.ReadUInt64LittleEndian(item), BinaryPrimitives.ReadSingleLittleEndian(item[8..]));
        }

        return items;
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> value) =>
        Checksum.End(Checksum.Append(Checksum.Append(Checksum.Start, value[..ChecksumAt]), value[TokenAt..]));
}
