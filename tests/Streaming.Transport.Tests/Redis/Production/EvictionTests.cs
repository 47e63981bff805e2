using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>maxmemory with each policy: an evicting one is reported; with noeviction items wait (OutageTests).</summary>
public sealed class EvictionTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("noeviction", false)]
    [InlineData("allkeys-lru", true)]
    [InlineData("allkeys-lfu", true)]
    [InlineData("allkeys-random", true)]
    [InlineData("volatile-lru", true)]
    [InlineData("volatile-lfu", true)]
    [InlineData("volatile-random", true)]
    [InlineData("volatile-ttl", true)]
    public async Task Read_PolicyOfAServer_IsKnownWithoutAdminRights(string policy, bool evicts)
    {
        Assert.DoesNotContain("allowAdmin", redis.Options().Configuration, StringComparison.Ordinal);
        using RedisWire wire = await RedisWire.ConnectAsync(redis.Server.Port);
        await wire.SendAsync("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", "100mb");
        StoreServers servers = new(redis.Connection);
        StoreServer limited = Assert.Single(await servers.ReadAsync(Stop));
        Assert.Equal((policy, 100 << 20, evicts, 0), (limited.EvictionPolicy, limited.MaxMemory, limited.Evicts, limited.Replicas));
        Assert.Contains($":{redis.Server.Port}", limited.EndPoint.ToString(), StringComparison.Ordinal);

        await wire.SendAsync("CONFIG", "SET", "maxmemory", "0");
        Assert.False(Assert.Single(await servers.ReadAsync(Stop)).Evicts);
    }

    /// <summary>Evicted items return with the next refresh; pointer and fences are restored automatically.</summary>
    [Fact]
    public async Task Publish_ServerEvictsEverything_TheModelIsPutRight()
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(["--maxmemory-policy", "allkeys-random"], Stop);
        RedisOptions options = new() { Configuration = server.Configuration, Partitions = 8 };
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        IncidentLog incidents = new();
        EmbeddingPublisher publisher = new(connection.GetDatabase(), options, Make.Widths, TimeProvider.System, incidents.Add);
        await publisher.OpenAsync(1, 1, Stop);
        await publisher.PublishAsync(Make.Items(500, step: 1), [], Stop);
        using RedisWire wire = await RedisWire.ConnectAsync(server.Port);
        await wire.SendAsync("CONFIG", "SET", "maxmemory", "1");
        while ((long)(await wire.SendAsync("DBSIZE"))! > 0)
        {
            await wire.SendAsync("GET", "none");
            await Task.Delay(5, Stop);
        }

        await wire.SendAsync("CONFIG", "SET", "maxmemory", "0");
        Assert.Equal(500, (await publisher.PublishAsync(Make.Items(500, step: 2), [], Stop)).Written);
        await incidents.WaitForAsync(PublishIncidentKind.StoreEmpty, Stop);
        Assert.Equal("1", await connection.GetDatabase().StringGetAsync(new RedisKeys(options.Model, 8).Active));
        RedisConnection.Close(connection);
    }
}
