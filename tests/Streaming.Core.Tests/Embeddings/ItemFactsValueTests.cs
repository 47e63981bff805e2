using System.Text;
using Streaming.Core.Embeddings;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

public class ItemFactsValueTests
{
    private static readonly ItemFacts Facts = new("""{"category":"shoes","price":12.5}""", 7, 1_700_000_000_000)
    {
        Popularity = 1_700_000_360_000,
    };

    [Fact]
    public void TryRead_EncodedFacts_AreThere()
    {
        EmbeddingFault fault = ItemFactsValue.TryRead(
            ItemFactsValue.Encode(Facts, 42, EmbeddingStamp.MaxCounter),
            out ItemFacts read,
            out ReadOnlySpan<byte> attributes
        );

        Assert.Equal(EmbeddingFault.None, fault);
        Assert.Equal((7, 1_700_000_000_000, 1_700_000_360_000), (read.Events, read.Since, read.Popularity));
        Assert.Equal(Facts.Attributes, Encoding.UTF8.GetString(attributes));
    }

    [Fact]
    public void TryRead_AnyDamagedByteOrCut_IsRefused()
    {
        byte[] good = ItemFactsValue.Encode(Facts, 42, 9);
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x10;
            Assert.NotEqual(EmbeddingFault.None, ItemFactsValue.TryRead(bad, out _, out _));
            Assert.NotEqual(EmbeddingFault.None, ItemFactsValue.TryRead(good.AsSpan(0, at), out _, out _));
        }

        Assert.Equal(EmbeddingFault.Corrupt, ItemFactsValue.TryRead([.. good, 0], out _, out _));
        good[2] = 3;
        Assert.Equal(EmbeddingFault.NewerVersion, ItemFactsValue.TryRead(good, out _, out _));
        Assert.Equal(EmbeddingFault.Foreign, ItemFactsValue.TryRead("EV\u0001 and more"u8, out _, out _));
    }

    [Fact]
    public void Encode_AttributesBeyondTheLimit_AreRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            ItemFactsValue.Encode(Facts with { Attributes = new string('x', ItemFactsValue.MaxAttributeBytes + 1) }, 1, 1)
        );
}
