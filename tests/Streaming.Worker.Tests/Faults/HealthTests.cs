using StackExchange.Redis;
using Streaming.Contracts;
using Streaming.Core.Embeddings;
using Streaming.Models.Options;
using Streaming.Transport.Kafka;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>Broken in a way that stops nothing: health and log say it in words, and that it is over.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task MostEventsAreDuplicates_IsSaidWithFiguresUntilTheyAreNot()
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 1);
        await using RunningWorker worker = bench.StartWorker();
        using EventProducer producer = new(bench.Values.Kafka);
        Send(producer, 2_000, id: static i => $"again-{i % 10}");
        await worker.UntilAsync(w => w.Part("events").Contains("are duplicates", StringComparison.Ordinal), "the duplicates are said");
        Assert.StartsWith("degraded: of the last 1", worker.Part("events"), StringComparison.Ordinal);
        Assert.True(worker.Log.Has("Health problem: events: of the last"), worker.Log.Text);

        Send(producer, 2_000, id: static i => $"new-{i}");
        await worker.UntilAsync(w => w.Part("events") == "healthy", "the good events are said");
        Assert.True(worker.Log.Has("Health problem resolved: events"), worker.Log.Text);
    }

    [Fact]
    public async Task CatalogueDoesNotFit_IsSaid()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        bench.Settings["STREAMING__Model__ItemCapacity"] = "256"; // The stream has 300 items.
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(
            w =>
                w.Part("catalogue")
                    .StartsWith("degraded: larger than STREAMING__Model__ItemCapacity (256 items)", StringComparison.Ordinal),
            "the evictions are said"
        );
        Assert.True(worker.Log.Has("Health problem: catalogue"), worker.Log.Text);
    }

    [Fact]
    public async Task TrainerHangs_IsNotReadyUntilItMoves()
    {
        using var hang = new ManualResetEventSlim();
        await using FaultBench bench = await FaultBench.StartAsync();
        bench.Settings["STREAMING__Pipeline__StallTimeout"] = "1s";
        ModelOptions model = bench.Values.Model;
        await using RunningWorker worker = bench.StartWorker(() =>
            new PlantedEngine(
                model,
                step =>
                {
                    if (step == 3)
                    {
                        hang.Wait();
                    }

                    return true;
                }
            )
        );
        await worker.UntilAsync(
            w => w.Part("trainer").StartsWith("not ready: no batch finished for", StringComparison.Ordinal),
            "the trainer's hanging is said"
        );
        hang.Set();
        await worker.UntilAsync(w => w.Part("trainer") == "healthy", "the trainer moves");
    }

    [Theory]
    [InlineData("e:faults:active")]
    [InlineData("m:faults:layout")]
    [InlineData("tower")]
    public async Task KeyBecomesAnotherType_IsNamedUntilItIsDeleted(string key)
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 200);
        bench.Settings["STREAMING__Redis__TowerInterval"] = "1s";
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(w => w.Part("redis") == "healthy" && w.Status.Published?.Written > 0, "publishes");
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        key = key == "tower" ? new RedisKeys("faults", 256).Tower(1, 8) : key;
        IDatabase database = redis.GetDatabase();
        ITransaction replace = database.CreateTransaction();
        _ = replace.KeyDeleteAsync(key);
        _ = replace.ListLeftPushAsync(key, "another's");
        Assert.True(await replace.ExecuteAsync());

        await worker.UntilAsync(
            w => w.Part("redis keys").Contains($"'{key}' is not what a trainer writes there: WRONGTYPE", StringComparison.Ordinal),
            "the key is named"
        );
        await database.KeyDeleteAsync(key);
        await worker.UntilAsync(w => w.Part("redis keys") == "healthy", "the key is as it should be");
        Assert.Equal(RedisType.String, await database.KeyTypeAsync(key));
        Assert.Equal(ExitCode.Success, await worker.TerminateAsync());
    }

    [Fact]
    public async Task UserKeyOfAnotherType_IsCountedAndSaid()
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 1);
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        await redis
            .GetDatabase()
            .ListLeftPushAsync(new RedisKeys("faults", 256).User(Core.Hashing.XxHash64.Hash("blocked"u8)), "another's");
        await using RunningWorker worker = bench.StartWorker();
        using EventProducer producer = new(bench.Values.Kafka);
        Send(producer, 10, id: static i => $"id-{i}", user: "blocked");

        await worker.UntilAsync(
            w => w.Part("redis keys").Contains("histories could not be stored since the start", StringComparison.Ordinal),
            "the key in the way is said"
        );
        Assert.True(worker.Status.Users!.Rejected > 0);
    }

    [Fact]
    public async Task LeaseMayNotBeRenewed_IsSaidInRedissWordsUntilItMay()
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 10);
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        await redis.GetDatabase().ExecuteAsync("ACL", "SETUSER", "worker", "on", ">s3cret", "~*", "&*", "+@all");
        bench.Settings["STREAMING__Redis__Configuration"] += ",user=worker,password=s3cret";
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(static w => w.Log.Has("Leading model"), "the lease is held");
        await redis.GetDatabase().ExecuteAsync("ACL", "SETUSER", "worker", "-evalsha", "-eval");
        await worker.UntilAsync(
            w => w.Part("lease").StartsWith("degraded: cannot be acquired or renewed: NOPERM", StringComparison.Ordinal),
            "the lease is said"
        );
        Assert.DoesNotContain("s3cret", worker.Log.Text, StringComparison.Ordinal);

        await redis.GetDatabase().ExecuteAsync("ACL", "SETUSER", "worker", "+evalsha", "+eval");
        await worker.UntilAsync(w => w.Part("lease") == "healthy", "renewed again");
        Assert.Equal(ExitCode.Success, await worker.TerminateAsync());
    }

    private static void Send(EventProducer producer, int count, Func<int, string> id, string? user = null)
    {
        for (int i = 0; i < count; i++)
        {
            producer.Send(
                new Interaction
                {
                    UserId = user ?? $"u{i % 50}",
                    ItemId = $"i{i % 30}",
                    Type = "click",
                    EventId = id(i),
                    EventTimeMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
                }
            );
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }
}
