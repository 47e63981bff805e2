using System.Buffers.Binary;
using System.Numerics;

namespace Streaming.Core.Embeddings;

/// <summary>CRC-32C (Castagnoli; RFC 3720, appendix B.4), using the CPU's instruction where available.</summary>
internal static class Checksum
{
    public const uint Start = uint.MaxValue;

    public static uint Append(uint state, ReadOnlySpan<byte> data)
    {
        for (; data.Length >= 8; data = data[8..])
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
        }

        foreach (byte value in data)
        {
            state = BitOperations.Crc32C(state, value);
        }

        return state;
    }

    public static uint End(uint state) => ~state;

    /// <summary>The checksum of a value: over all bytes except the four that hold it.</summary>
    public static uint OfValue(ReadOnlySpan<byte> value) =>
        End(Append(Append(Start, value[..EmbeddingLayout.ChecksumAt]), value[EmbeddingLayout.FixedLength..]));
}
