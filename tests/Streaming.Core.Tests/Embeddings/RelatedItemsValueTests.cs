using Streaming.Core.Embeddings;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

public class RelatedItemsValueTests
{
    private static readonly RelatedItems Lists = new(10, [new(1, 0.75f), new(ulong.MaxValue, 0.5f)], [new(0x0123456789ABCDEF, 0.25f)]);

    [Fact]
    public void TryDecode_Encoded_IsWhatWasEncoded()
    {
        Assert.Equal(EmbeddingFault.None, RelatedItemsValue.TryDecode(RelatedItemsValue.Encode(Lists, 42, 7), out RelatedItems? read));

        Assert.Equal(Lists.Window, read!.Window);
        Assert.Equal(Lists.Neighbors, read.Neighbors);
        Assert.Equal(Lists.Successors, read.Successors);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(256)]
    public void TryDecode_WindowAtItsEnds_IsKept(int window)
    {
        RelatedItemsValue.TryDecode(RelatedItemsValue.Encode(Lists with { Window = window }, 1, 1), out RelatedItems? read);

        Assert.Equal(window, read!.Window);
    }

    [Fact]
    public void Encode_TokenAndStep_AreWhereAnEmbeddingHasThem()
    {
        byte[] value = RelatedItemsValue.Encode(Lists, 0xAABBCCDD, (1L << 48) - 2);

        Assert.Equal("ddccbbaafeffffffffff", Convert.ToHexStringLower(value.AsSpan(12, 10)));
    }

    [Fact]
    public void TryDecode_AnyByteChanged_IsRefused()
    {
        byte[] value = RelatedItemsValue.Encode(Lists, 42, 7);
        for (int i = 0; i < value.Length; i++)
        {
            byte[] changed = [.. value];
            changed[i] ^= 0x41;

            Assert.NotEqual(EmbeddingFault.None, RelatedItemsValue.TryDecode(changed, out RelatedItems? read));
            Assert.Null(read);
        }
    }

    [Fact]
    public void TryDecode_CutAnywhere_IsTruncated()
    {
        byte[] value = RelatedItemsValue.Encode(Lists, 42, 7);

        Assert.All(
            Enumerable.Range(0, value.Length),
            length => Assert.Equal(EmbeddingFault.Truncated, RelatedItemsValue.TryDecode(value.AsSpan(0, length), out _))
        );
        Assert.Equal(EmbeddingFault.Corrupt, RelatedItemsValue.TryDecode([.. value, 0], out _));
    }

    [Fact]
    public void TryDecode_AnEmbedding_IsForeign() =>
        Assert.Equal(EmbeddingFault.Foreign, RelatedItemsValue.TryDecode("EV\u0001 and more bytes than a header has"u8, out _));
}
