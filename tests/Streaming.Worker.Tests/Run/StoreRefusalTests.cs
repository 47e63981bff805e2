using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Health;
using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Run;

/// <summary>A store that does not match the settings, or denies access: one line that names it, an exit code, nothing written.</summary>
public sealed class StoreRefusalTests : IAsyncLifetime
{
    private LocalRedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        _connection = await RedisConnection.OpenAsync(Options(), Stop);
    }

    public async ValueTask DisposeAsync()
    {
        RedisConnection.Close(_connection);
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData("run")]
    [InlineData("serve")]
    public async Task OtherPartitionsThanTheModelInRedis_Exits78AndNamesBoth(string command)
    {
        await _connection.GetDatabase().StringSetAsync("m:items:layout", """{"layout":2,"partitions":16}""");
        await AssertRefusedAsync(command, 78, "STREAMING__Redis__Partitions is 32, but model 'items' in Redis has 16 partitions", ("STREAMING__Redis__Partitions", "32"));
        Assert.False(await _connection.GetDatabase().KeyExistsAsync("e:items:active"));
    }

    [Fact]
    public async Task RightsMissing_Exits77AndNamesCommandAndKey()
    {
        await _connection.GetDatabase().ExecuteAsync("ACL", "SETUSER", "poor", "on", ">s3cret", "~*", "&*", "+@all", "-xadd");
        await AssertRefusedAsync("run", 77, "XADD e:items:", ("STREAMING__Redis__Configuration", $"{_redis.Configuration},user=poor,password=s3cret"));
    }

    [Fact]
    public Task ConfigurationIsAUrl_Exits78() =>
        AssertRefusedAsync("run", 78, "STREAMING__Redis__Configuration", ("STREAMING__Redis__Configuration", "redis://:s3cret@localhost:6379"));

    [Fact]
    public async Task Watch_PointerDeletedAndServerMayEvict_IsPutRightAndSaid()
    {
        IDatabase database = _connection.GetDatabase();
        EmbeddingPublisher publisher = new(database, Options(), [4, 8], TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        await database.KeyDeleteAsync("e:items:active");
        await _connection.GetServers()[0].ConfigSetAsync("maxmemory-policy", "allkeys-lru");
        await _connection.GetServers()[0].ConfigSetAsync("maxmemory", "100mb");
        HealthReport health = new();
        StoreWatch watch = new(publisher, new StoreServers(_connection), health, TimeProvider.System, NullLogger.Instance);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task running = watch.RunAsync(end.Token);
        while (!await database.KeyExistsAsync("e:items:active"))
        {
            await Task.Delay(10, Stop);
        }

        Assert.Equal((1, HealthLevel.Degraded), (watch.Evicting, health.Level));
        Assert.Contains("(allkeys-lru)", health.Parts()["redis memory"], StringComparison.Ordinal);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private RedisOptions Options() => new() { Configuration = _redis.Configuration + ",allowAdmin=true", Partitions = 16 };

    private async Task AssertRefusedAsync(string command, int code, string said, params (string Name, string Value)[] settings)
    {
        Dictionary<string, string> variables = new() { ["STREAMING__Redis__Configuration"] = _redis.Configuration, ["STREAMING__Http__Port"] = "0" };
        foreach ((string name, string value) in settings)
        {
            variables[name] = value;
        }

        using StreamingProcess process = StreamingProcess.Start([command], variables);
        Assert.True(await process.WaitForExitAsync() == code, process.Output);
        Assert.Contains(said, process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }
}
