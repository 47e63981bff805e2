using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
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
        await AssertRefusedAsync(
            command,
            78,
            "STREAMING__Redis__Partitions is 32, but model 'items' in Redis has 16 partitions",
            ("STREAMING__Redis__Partitions", "32")
        );
        Assert.False(await _connection.GetDatabase().KeyExistsAsync("e:items:active"));
    }

    [Fact]
    public async Task RightsMissing_Exits77AndNamesCommandAndKey()
    {
        await _connection.GetDatabase().ExecuteAsync("ACL", "SETUSER", "poor", "on", ">s3cret", "~*", "&*", "+@all", "-xadd");
        await AssertRefusedAsync(
            "run",
            77,
            "XADD e:items:",
            ("STREAMING__Redis__Configuration", $"{_redis.Configuration},user=poor,password=s3cret")
        );
    }

    [Theory]
    [InlineData("run", "pointer")]
    [InlineData("run", "layout")]
    [InlineData("run", "fence")]
    [InlineData("run", "lease")]
    [InlineData("generation", "pointer")]
    [InlineData("generation", "layout")]
    [InlineData("serve", "pointer")]
    [InlineData("serve", "layout")]
    public async Task KeyOfAnotherType_Exits77AndNamesIt(string command, string which)
    {
        var keys = new RedisKeys("items", 256);
        string key = which switch
        {
            "pointer" => keys.Active,
            "layout" => keys.LayoutRecord,
            "fence" => keys.Fence(17),
            _ => keys.LeaseHolder(),
        };
        await _connection.GetDatabase().ListLeftPushAsync(key, "another's");
        await AssertRefusedAsync(command, 77, $"Redis key '{key}'");
        await AssertRefusedAsync(command, 77, "is not what a trainer writes there: WRONGTYPE");
    }

    [Theory]
    [InlineData("run", "e:items:active")]
    [InlineData("generation", "e:items:active")]
    [InlineData("serve", "e:items:active")]
    [InlineData("run", "m:items:layout")]
    [InlineData("generation", "m:items:layout")]
    [InlineData("serve", "m:items:layout")]
    public async Task KeyWithAnothersText_Exits77AndNamesIt(string command, string key)
    {
        await _connection.GetDatabase().StringSetAsync(key, "another's");
        await AssertRefusedAsync(command, 77, $"Redis key '{key}' is not what a trainer writes there: ");
    }

    [Fact]
    public async Task WrongPassword_IsNamedInLogAndHealth()
    {
        await _connection.GetDatabase().ExecuteAsync("CONFIG", "SET", "requirepass", "right");
        Dictionary<string, string> variables = new()
        {
            ["STREAMING__Redis__Configuration"] = $"{_redis.Configuration},password=s3cret",
            ["STREAMING__Redis__ConnectTimeout"] = "1s",
            ["STREAMING__Redis__CommandTimeout"] = "1s",
            ["STREAMING__Http__Port"] = "0",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
        };
        using var process = StreamingProcess.Start(["run"], variables);

        string line = await process.WaitForLineAsync(static line => line.Contains("is unavailable", StringComparison.Ordinal));
        Assert.Contains(
            $"Redis at {_redis.Configuration} is unavailable (it refuses the user or password of STREAMING__Redis__Configuration: ",
            line,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("s3cret", process.Output, StringComparison.Ordinal);
        process.Terminate();
        Assert.True(await process.WaitForExitAsync() == 0, process.Output);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("serve")]
    public async Task NothingAnswers_IsNamedWithItsAddressInLogAndHealth(string command)
    {
        await _redis.KillAsync();
        Dictionary<string, string> variables = new()
        {
            ["STREAMING__Redis__Configuration"] = _redis.Configuration,
            ["STREAMING__Redis__ConnectTimeout"] = "1s",
            ["STREAMING__Redis__CommandTimeout"] = "1s",
            ["STREAMING__Http__Port"] = "0",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
        };
        using var process = StreamingProcess.Start([command], variables);

        string listening = await process.WaitForLineAsync(static line => line.Contains("Health and metrics at", StringComparison.Ordinal));
        await process.WaitForLineAsync(line =>
            line.Contains($"Redis at {_redis.Configuration} is unavailable (Connection refused)", StringComparison.Ordinal)
        );
        using HttpClient client = new() { BaseAddress = new Uri(listening[listening.IndexOf("http", StringComparison.Ordinal)..]) };
        using HttpResponseMessage ready = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), Stop);
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains(
            $"degraded: {_redis.Configuration} unavailable: Connection refused",
            await ready.Content.ReadAsStringAsync(Stop),
            StringComparison.Ordinal
        );
        process.Terminate();
        Assert.True(await process.WaitForExitAsync() == 0, process.Output);
    }

    [Fact]
    public Task ConfigurationIsAUrl_Exits78() =>
        AssertRefusedAsync(
            "run",
            78,
            "STREAMING__Redis__Configuration",
            ("STREAMING__Redis__Configuration", "redis://:s3cret@localhost:6379")
        );

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
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
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
        Dictionary<string, string> variables = new()
        {
            ["STREAMING__Redis__Configuration"] = _redis.Configuration,
            ["STREAMING__Http__Port"] = "0",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
        };
        foreach ((string name, string value) in settings)
        {
            variables[name] = value;
        }

        using var process = StreamingProcess.Start([command], variables);
        Assert.True(await process.WaitForExitAsync() == code, process.Output);
        Assert.Contains(said, process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }
}
