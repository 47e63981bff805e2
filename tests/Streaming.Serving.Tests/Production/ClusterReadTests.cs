using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Serving.Changes;
using Streaming.Serving.Lookups;
using Streaming.Serving.Search;
using Streaming.Serving.Towers;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Production;

/// <summary>Readers of a cluster: as a user with the documented rights, while slots move, and after a failover.</summary>
public sealed class ClusterReadTests : IAsyncLifetime
{
    private const int Items = 300;
    private const string Password = "correct-horse-93";

    private RedisCluster _cluster = null!;
    private RedisOptions _options = null!;
    private ConnectionMultiplexer _writer = null!;
    private ConnectionMultiplexer _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string[] Ids => [.. Enumerable.Range(0, Items).Select(i => $"item{i}")];

    public async ValueTask InitializeAsync()
    {
        _cluster = await RedisCluster.StartAsync();
        _options = new RedisOptions
        {
            Configuration = _cluster.Configuration,
            Partitions = 12,
            Element = EmbeddingElement.Float32,
        };
        foreach (RedisNode node in _cluster.Nodes)
        {
            await node.SendAsync(["ACL", "SETUSER", "reader", "on", $">{Password}", .. AccessLists.Reader(_options.Model).Split(' ')]);
        }

        _writer = await RedisConnection.OpenAsync(_options);
        _connection = await RedisConnection.OpenAsync(
            _options with
            {
                Configuration = $"{_cluster.Configuration},user=reader,password={Password}",
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ConnectionMultiplexer? connection in (ConnectionMultiplexer?[])[_writer, _connection])
        {
            if (connection is not null)
            {
                RedisConnection.Close(connection);
            }
        }

        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Read_SlotOnItsWayThenMovedThenFailedOver_EveryItemIsFoundAndNoRightIsMissing()
    {
        EmbeddingPublisher publisher = new(_writer.GetDatabase(), _options, ServingFixture.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        await PublishAsync(publisher, 1);
        ServingOptions serving = ServingFixture.Serving(_options) with { Timeout = TimeSpan.FromSeconds(5), RetryAttempts = 10 };
        EmbeddingReader reader = new(_connection.GetDatabase(), serving, TimeProvider.System);
        ChangeFeedReader feed = new(_connection.GetDatabase(), serving, TimeProvider.System);
        await feed.SeekToEndAsync(Stop);
        Assert.Equal(Items, await FoundAsync(reader));
        int slot = HashSlots.Of(Encoding.ASCII.GetBytes(new RedisKeys(_options.Model, 12).Tag(3)));
        RedisNode source = await _cluster.MasterOfAsync(slot);
        await _cluster.MoveSlotAsync(
            slot,
            await _cluster.MasterOfAsync(HashSlots.Count - 1),
            async () =>
            {
                // Keys of one partition are on two servers.
                Assert.Equal(Items, await FoundAsync(reader));
            }
        );
        Assert.Equal(Items, await FoundAsync(reader));
        await _cluster.MoveSlotAsync(slot, source);
        await _cluster.FailOverAsync((await _cluster.ReplicasOfAsync(source))[0]);
        await PublishAsync(publisher, 2);
        Assert.Equal(Items, await FoundAsync(reader));
        Assert.Equal(new FeedRead(Items, HasGap: false, HasMore: false), await feed.ReadAsync([], Stop));
        Assert.Equal(
            0,
            await new UserHistoryReader(_connection.GetDatabase(), serving, TimeProvider.System).ReadAsync("ann", new ulong[4], Stop)
        );
        Assert.Null(await new UserTowerReader(_connection.GetDatabase(), serving, TimeProvider.System).RecordAsync(Stop));
        using EmbeddingIndex index = new(
            _connection.GetDatabase(),
            serving,
            new IndexOptions { Widths = ServingFixture.Widths },
            TimeProvider.System
        );
        await index.LoadAsync(Stop);
        Assert.Equal(Items, index.Count);
        await AssertNothingRefusedAsync();
    }

    private static async Task<int> FoundAsync(EmbeddingReader reader) =>
        (await reader.ReadAsync(Ids, 4, new float[Items * 4], new ItemRead[Items], Stop)).Found;

    private static async Task PublishAsync(EmbeddingPublisher publisher, long step)
    {
        List<Refresh> left = [.. Enumerable.Range(0, Items).Select(i => ServingFixture.Item(i, step, new float[16]))];
        while (left.Count > 0)
        {
            List<Refresh> failed = [];
            await publisher.PublishAsync(left, failed, Stop);
            left = failed;
        }
    }

    /// <summary>CONFIG GET is sent by the client itself, which works without it.</summary>
    private async Task AssertNothingRefusedAsync()
    {
        foreach (RedisNode node in _cluster.Nodes)
        {
            object?[] log = (object?[])(await node.SendAsync("ACL", "LOG"))!;
            Assert.DoesNotContain(
                log.Select(entry => string.Join(' ', (object?[])entry!)),
                entry => !entry.Contains("object config|get", StringComparison.Ordinal)
            );
        }
    }
}
