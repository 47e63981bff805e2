using System.Text;
using Streaming.Core.Hashing;
using Xunit;

namespace Streaming.Core.Tests.Hashing;

public class XxHash64Tests
{
    // Values of the reference implementation (xxhsum -H64).
    [Theory]
    [InlineData("", 0UL, 0xEF46DB3751D8E999UL)]
    [InlineData("a", 0UL, 0xD24EC4F1A98C6E5BUL)]
    [InlineData("abc", 0UL, 0x44BC2CF5AD770999UL)]
    [InlineData("Nobody inspects the spammish repetition", 0UL, 0xFBCEA83C8A378BF1UL)]
    public void Hash_PublishedInputs_GivePublishedValues(string text, ulong seed, ulong expected) =>
        Assert.Equal(expected, XxHash64.Hash(Encoding.UTF8.GetBytes(text), seed));

    [Fact]
    public void Hash_EveryLengthTo300_NeverCollides()
    {
        byte[] data = new byte[300];
        var seen = new HashSet<ulong>();
        for (int length = 0; length <= data.Length; length++)
        {
            Assert.True(seen.Add(XxHash64.Hash(data.AsSpan(0, length))), $"length {length} collides");
        }
    }
}
