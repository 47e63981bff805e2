using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>Named users with the rights that the contract lists, on a single server and on a cluster.</summary>
public sealed class AccessTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private const string Password = "correct-horse-93";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private RedisCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Trainer_WithTheListedRights_IsRefusedNothing()
    {
        RedisOptions options = await UserAsync("trainer", AccessLists.Trainer);
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        IDatabase database = connection.GetDatabase();
        await StoreAccess.CheckAsync(database, options, TimeProvider.System, Stop);
        using TrainerLease lease = new(database, options, "test", TimeProvider.System);
        await lease.AcquireAsync(0, Stop);
        EmbeddingPublisher publisher = new(database, options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, lease.Token, Stop);
        Assert.Equal(100, (await publisher.PublishAsync(Make.Items(100), [], Stop)).Written);
        await publisher.RestoreAsync(Stop);
        GenerationPublisher beside = new(database, options, TimeProvider.System);
        await beside.PublishAsync(
            new GenerationRecord
            {
                Generation = 1,
                Token = lease.Token,
                Widths = Make.Widths,
            },
            [new(16, new byte[10])],
            Stop
        );
        Assert.NotNull(await beside.ReadAsync(1, Stop));
        GenerationSwitch generations = new(database, options, Make.Widths, TimeProvider.System);
        string[] ids = [.. Make.Items(100).Select(item => item.ItemId)];
        Assert.True((await generations.CheckAsync(1, ids, Stop)).IsComplete);
        Assert.Equal(100, (await generations.ListAsync(1, Stop)).Count);
        Assert.True(await generations.FlipAsync(1, 2, Stop));
        await generations.RetireAsync(1, ids, TimeSpan.FromMinutes(1), Stop);
        Assert.All(await new StoreServers(connection).ReadAsync(Stop), server => Assert.Equal(1, server.Replicas));
        Assert.True(await lease.ReleaseAsync(Stop));
        RedisConnection.Close(connection);
        await AssertNothingRefusedAsync("trainer");
    }

    [Fact]
    public async Task Contract_ListsTheseRights()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Streaming.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        string page = await File.ReadAllTextAsync(Path.Combine(folder, "schemas", "embedding-value.md"), Stop);
        Assert.Contains($"trainer on >… {AccessLists.Trainer("<model>")}\n", page, StringComparison.Ordinal);
        Assert.Contains($"reader on >… {AccessLists.Reader("<model>")}\n", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-xadd", "XADD e:")]
    [InlineData("-getrange -pttl", "PTTL l:")]
    [InlineData("resetkeys ~e:{model}:* ~l:{model}:* ~m:{model}:*", "u:")]
    [InlineData("-evalsha -eval", "NOPERM")]
    public async Task Check_ARightIsMissing_NamesItBeforeAnythingHasBegun(string change, string said)
    {
        RedisOptions options = await UserAsync(
            "lesser",
            model => $"{AccessLists.Trainer(model)} {change.Replace("{model}", model, StringComparison.Ordinal)}"
        );
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() =>
            StoreAccess.CheckAsync(connection.GetDatabase(), options, TimeProvider.System, Stop)
        );

        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Contains("STREAMING__Redis__Configuration", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        RedisConnection.Close(connection);
    }

    /// <summary>Changing an access list must end neither a trainer nor its standby.</summary>
    [Fact]
    public async Task Lease_RightTakenAwayForAWhile_HolderKeepsItAndStandbyContinuesAsking()
    {
        RedisOptions options = await UserAsync("changing", AccessLists.Trainer) with { LeaseDuration = TimeSpan.FromSeconds(2) };
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        List<string> troubles = [];
        using TrainerLease holder = new(
            connection.GetDatabase(),
            options,
            "a",
            TimeProvider.System,
            1,
            error => troubles.Add(error?.Message ?? "well")
        );
        using TrainerLease standby = new(connection.GetDatabase(), options, "b", TimeProvider.System);
        await holder.AcquireAsync(0, Stop);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task keeping = holder.KeepAsync(end.Token);
        Assert.False((await standby.TryAcquireAsync(0, Stop)).Acquired);
        Task waiting = standby.AcquireAsync(0, end.Token);

        await EveryNodeAsync("ACL", "SETUSER", "changing", "-evalsha", "-eval");
        await UntilAsync(() => troubles.Count > 0);
        await EveryNodeAsync("ACL", "SETUSER", "changing", "+evalsha", "+eval");
        await UntilAsync(() => troubles.Count > 1);

        Assert.StartsWith("NOPERM", troubles[0], StringComparison.Ordinal);
        Assert.Equal("well", troubles[1]);
        Assert.False(keeping.IsCompleted && waiting.IsCompleted);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => keeping);
        RedisConnection.Close(connection);
    }

    [Fact]
    public async Task Acquire_RightMissingFromTheStart_FailsAtOnce()
    {
        RedisOptions options = await UserAsync("none", model => AccessLists.Trainer(model) + " -evalsha -eval");
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        using TrainerLease lease = new(connection.GetDatabase(), options, "a", TimeProvider.System);
        Assert.Contains(
            "NOPERM",
            (await Assert.ThrowsAsync<StoreRefusedException>(() => lease.AcquireAsync(0, Stop))).Message,
            StringComparison.Ordinal
        );
        RedisConnection.Close(connection);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(10, Stop);
        }
    }

    private async Task<RedisOptions> UserAsync(string name, Func<string, string> rules)
    {
        RedisOptions options = fixture.Options();
        await EveryNodeAsync(["ACL", "SETUSER", name, "reset", "on", $">{Password}", .. rules(options.Model).Split(' ')]);
        await EveryNodeAsync("ACL", "LOG", "RESET");
        return options with { Configuration = $"{options.Configuration},user={name},password={Password}" };
    }

    private async Task EveryNodeAsync(params string[] command)
    {
        foreach (RedisNode node in Cluster.Nodes)
        {
            await node.SendAsync(command);
        }
    }

    /// <summary>
    /// Includes denials that the client ignores silently, except CONFIG GET: it is optional, and that right would reveal passwords.
    /// </summary>
    private async Task AssertNothingRefusedAsync(string user)
    {
        foreach (RedisNode node in Cluster.Nodes)
        {
            object?[] log = (object?[])(await node.SendAsync("ACL", "LOG"))!;
            Assert.DoesNotContain(
                log.Select(entry => string.Join(' ', (object?[])entry!)),
                entry =>
                    entry.Contains($"username {user}", StringComparison.Ordinal)
                    && !entry.Contains("object config|get", StringComparison.Ordinal)
            );
        }
    }
}
