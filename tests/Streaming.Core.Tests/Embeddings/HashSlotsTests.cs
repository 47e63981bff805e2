using System.Text;
using Streaming.Core.Embeddings;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

public class HashSlotsTests
{
    /// <summary>The check value of CRC-16/XMODEM, and slots from Redis's documentation or CLUSTER KEYSLOT.</summary>
    [Theory]
    [InlineData("123456789", 0x31C3)]
    [InlineData("foo", 12182)]
    [InlineData("", 0)]
    public void Of_KnownTag_IsItsSlot(string tag, int slot) => Assert.Equal(slot & 16383, HashSlots.Of(Encoding.ASCII.GetBytes(tag)));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(256)]
    [InlineData(16384)]
    public void EvenTags_EveryPartition_HasTheSlotOfItsPlace(int partitions)
    {
        IReadOnlyList<string> tags = HashSlots.EvenTags(partitions);
        Assert.Equal(partitions, tags.Distinct().Count());
        for (int p = 0; p < partitions; p++)
        {
            Assert.Equal((int)(p * 16384L / partitions), HashSlots.Of(Encoding.ASCII.GetBytes(tags[p])));
        }
    }

    /// <summary>Layout 1 fails this: at 64 shards its busiest has more than twice its share.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(16)]
    [InlineData(64)]
    public void Tags_Of256Partitions_NoShardHasMoreThanItsShare(int shards)
    {
        Assert.InRange(Busiest(new RedisKeys("shop"), shards), 1, 1.02);
        Assert.True(Busiest(new RedisKeys("shop", layout: 1), shards) > 1.02);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2 256")]
    [InlineData("{}")]
    [InlineData("""{"layout":3,"partitions":256}""")]
    [InlineData("""{"layout":2,"partitions":0}""")]
    public void Parse_NoRecordOfALayout_IsRefused(string record) =>
        Assert.Throws<FormatException>(() => KeyLayout.Parse(Encoding.UTF8.GetBytes(record)));

    [Fact]
    public void Parse_ItsOwnRecord_GivesItBack()
    {
        Assert.Equal("""{"layout":2,"partitions":256}""", Encoding.UTF8.GetString(new RedisKeys("shop").Layout.ToJson()));
        Assert.Equal(new KeyLayout(1, 8), KeyLayout.Parse("""{"layout":1,"partitions":8,"later":true}"""u8));
    }

    [Fact]
    public void Keys_OtherNumberOfPartitions_BothAreNamed()
    {
        KeyLayoutException error = Assert.Throws<KeyLayoutException>(() => new KeyLayout(2, 256).Keys("shop", 32));
        Assert.Equal((32, 256), (error.Set, error.Stored));
        Assert.Contains("STREAMING__Redis__Partitions is 32, but model 'shop' in Redis has 256", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Partitions of the busiest shard divided by the mean, with slots divided in order as redis-cli does.</summary>
    private static double Busiest(RedisKeys keys, int shards)
    {
        int[] counts = new int[shards];
        for (int p = 0; p < keys.Partitions; p++)
        {
            counts[HashSlots.Of(Encoding.ASCII.GetBytes(keys.Tag(p))) * shards / HashSlots.Count]++;
        }

        return counts.Max() * shards / (double)keys.Partitions;
    }
}
