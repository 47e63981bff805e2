using Xunit;

namespace Streaming.Core.Tests.Embeddings;

public class UserHistoryValueTests
{
    private static readonly ulong[] Items = [5, ulong.MaxValue, 7];
    private static readonly HistoryAge Age = new((1L << 48) - 2, long.MaxValue - 3);

    [Fact]
    public void TryDecode_EncodedHistory_ComesBack()
    {
        ulong[] decoded = new ulong[5];
        Assert.Equal(EmbeddingFault.None, UserHistoryValue.TryDecode(Encode(), decoded, out int count, out HistoryAge age));
        Assert.Equal(Items, decoded.Take(count));
        Assert.Equal(Age, age);
    }

    [Fact]
    public void TryDecode_EveryTruncationAndFlippedBit_IsRefused()
    {
        byte[] bytes = Encode();
        ulong[] decoded = new ulong[5];
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(EmbeddingFault.Truncated, UserHistoryValue.TryDecode(bytes.AsSpan(0, length), decoded, out _, out _));
        }

        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(EmbeddingFault.None, UserHistoryValue.TryDecode(bytes, decoded, out _, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(EmbeddingFault.Corrupt, UserHistoryValue.TryDecode([.. bytes, 0], decoded, out _, out _));
    }

    [Fact]
    public void Encode_TooManyOrTooShort_Throws()
    {
        Assert.Throws<ArgumentException>(() => UserHistoryValue.Encode(new ulong[4097], Age, new byte[100_000]));
        Assert.Throws<ArgumentException>(() => UserHistoryValue.Encode(Items, Age, new byte[47]));
    }

    private static byte[] Encode()
    {
        byte[] bytes = new byte[UserHistoryValue.Length(Items.Length)];
        UserHistoryValue.Encode(Items, Age, bytes);
        return bytes;
    }
}
