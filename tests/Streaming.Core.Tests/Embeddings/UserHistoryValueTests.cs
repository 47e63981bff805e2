using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Tests;
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

    /// <summary>Damage with a correct checksum, so that the checks behind it are reached.</summary>
    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void TryDecode_HostileValues_NeverThrowsAndKeepsToItsBuffer()
    {
        byte[] good = Encode();
        ulong[] decoded = new ulong[5];
        Fuzz.Run(
            6,
            200_000,
            10_000,
            random =>
            {
                byte[] value = Mutation.Of(good, random);
                if (value.Length > 10 && random.Next(2) == 0)
                {
                    Seal(value);
                }

                bool isGood = UserHistoryValue.TryDecode(value, decoded, out int count, out _) == EmbeddingFault.None;
                Assert.InRange(count, 0, decoded.Length);
                return isGood;
            }
        );
    }

    [Fact]
    public void Encode_TooManyOrTooShort_Throws()
    {
        Assert.Throws<ArgumentException>(() => UserHistoryValue.Encode(new ulong[4097], Age, new byte[100_000]));
        Assert.Throws<ArgumentException>(() => UserHistoryValue.Encode(Items, Age, new byte[47]));
    }

    /// <summary>The checksum is in bytes 6 to 9 and covers all others: schemas/embedding-value.md.</summary>
    private static void Seal(byte[] value) =>
        BitConverter.TryWriteBytes(
            value.AsSpan(6),
            Checksum.End(Checksum.Append(Checksum.Append(Checksum.Start, value.AsSpan(0, 6)), value.AsSpan(10)))
        );

    private static byte[] Encode()
    {
        byte[] bytes = new byte[UserHistoryValue.Length(Items.Length)];
        UserHistoryValue.Encode(Items, Age, bytes);
        return bytes;
    }
}
