using System.Buffers.Binary;

namespace Streaming.Core.Embeddings;

/// <summary>What the values of users and items begin with: two bytes of magic, one of the layout's version, then fixed fields.</summary>
internal static class ValueHeader
{
    private const int VersionAt = 2;

    /// <summary>Checks the beginning of a value. Never throws, whatever the bytes are.</summary>
    /// <param name="value">What the store returned.</param>
    /// <param name="magic">The magic of the kind of value.</param>
    /// <param name="version">The newest version that this reader knows.</param>
    /// <param name="length">Bytes of the fixed fields, from the beginning.</param>
    /// <returns>What is wrong, or <see cref="EmbeddingFault.None"/>: the fixed fields can be read.</returns>
    public static EmbeddingFault Check(ReadOnlySpan<byte> value, ushort magic, byte version, int length) =>
        value.Length <= VersionAt ? EmbeddingFault.Truncated
        : BinaryPrimitives.ReadUInt16LittleEndian(value) != magic ? EmbeddingFault.Foreign
        : value[VersionAt] > version ? EmbeddingFault.NewerVersion
        : value.Length < length ? EmbeddingFault.Truncated
        : EmbeddingFault.None;
}
