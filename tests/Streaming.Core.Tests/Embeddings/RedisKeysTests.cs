using System.Text;
using Streaming.Core.Embeddings;
using Streaming.Core.Hashing;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

public class RedisKeysTests
{
    private readonly RedisKeys _keys = new("shop");

    [Fact]
    public void Key_AnId_HasModelGenerationPartitionAndId()
    {
        int partition = (int)(XxHash64.Hash("tëa"u8) % 256);

        Assert.Equal(partition, _keys.Partition("tëa"));
        string tag = _keys.Tag(partition);
        Assert.Equal($"e:shop:3:{{{tag}}}:tëa", Encoding.UTF8.GetString(_keys.Items(3).Key("tëa")));
        Assert.Equal($"e:shop:3/32:{{{tag}}}:tëa", Encoding.UTF8.GetString(_keys.Items(3, 32).Key("tëa")));
        Assert.Equal($"u:shop:{{{tag}}}:{XxHash64.Hash("tëa"u8):x16}", _keys.User(RedisKeys.Hash("tëa")));
    }

    /// <summary>Trainers of two generations must not take each other's lease; the first generation's names are unchanged.</summary>
    [Fact]
    public void Generations_HaveLeaseRecordAndTowersOfTheirOwn()
    {
        Assert.Equal(("l:shop:{lease}:holder", "l:shop:{lease}:token"), (_keys.LeaseHolder(), _keys.LeaseToken()));
        Assert.Equal(("l:shop:{lease}:2:holder", "l:shop:{lease}:2:token"), (_keys.LeaseHolder(2), _keys.LeaseToken(2)));
        Assert.Equal(("m:shop:generation:2", "m:shop:tower:2:32"), (_keys.Generation(2), _keys.Tower(2, 32)));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("with:colon")]
    [InlineData("with}:brace{")]
    [InlineData("")]
    public void TryGetId_KeyOfTheSpace_GivesTheIdBack(string id)
    {
        Assert.True(_keys.Items(3).TryGetId(_keys.Items(3).Key(id), out string found));
        Assert.Equal(id, found);
    }

    [Fact]
    public void TryGetId_KeyOfAnotherSpace_IsRefused()
    {
        Assert.False(_keys.Items(3).TryGetId(_keys.Items(4).Key("tea"), out _));
        Assert.False(_keys.Items(3).TryGetId(_keys.Items(3, 16).Key("tea"), out _));
        Assert.False(_keys.Items(3).TryGetId("e:shop:3:{1}:"u8, out _));
        Assert.False(_keys.Items(3).TryGetId("something"u8, out _));
    }

    [Theory]
    [InlineData("", 256)]
    [InlineData("a:b", 256)]
    [InlineData("a{b", 256)]
    [InlineData("shop", 0)]
    [InlineData("shop", 16385)]
    public void Constructor_BadNameOrPartitions_Throws(string model, int partitions) =>
        Assert.Throws<ArgumentException>(() => new RedisKeys(model, partitions));
}
