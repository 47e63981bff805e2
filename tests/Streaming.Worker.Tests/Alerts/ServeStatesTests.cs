using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>As <see cref="KafkaStatesTests"/>: `streaming serve` without store, index, generation or items.</summary>
public sealed class ServeStatesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task States_OfServe_AreReportedEverywhereUntilTheyAreOver()
    {
        await using WatchedBench bench = await WatchedBench.StartAsync("--appendonly", "yes");
        bench.Settings["STREAMING__Serve__RefreshInterval"] = "50ms";
        await bench.Redis.KillAsync();
        using WatchedProcess serve = await WatchedProcess.StartAsync("serve", "streaming-lookups", bench.Settings);

        await serve.FollowAsync(
            new BrokenState("no store")
            {
                Break = static () => Task.CompletedTask,
                Health = new Dictionary<string, string>
                {
                    ["redis"] = $"degraded: {bench.Redis.Configuration} unavailable: ",
                    ["index"] = "not ready: the index is not loaded yet; the last attempt failed: ",
                },
                Series = ["streaming_health{part=\"redis\"}", "streaming_health{part=\"index\"}"],
                Log = "Cannot refresh the index (",
                Alerts = ["StreamingUnhealthy{part=\"redis\"}", "StreamingNothingToServe{part=\"index\"}"],
            }
        );
        await serve.FollowAsync(
            new BrokenState("no generation")
            {
                Break = () => bench.Redis.RestartAsync(Stop),
                Health = new Dictionary<string, string>
                {
                    ["redis"] = "healthy",
                    ["index"] = "not ready: no generation is published: e:alerts:active is not set",
                },
                Series = ["streaming_health{part=\"index\"}"],
                Log = "Nothing to serve: no generation is published: e:alerts:active is not set",
                Alerts = ["StreamingNothingToServe{part=\"index\"}"],
            }
        );
        await serve.FollowAsync(
            new BrokenState("a generation without items")
            {
                Break = () => PublishAsync(bench),
                Mend = () => PublishAsync(bench, new Refresh(RedisKeys.Hash("i1"), "i1", new float[16], 2, 0, 0)),
                Health = new Dictionary<string, string> { ["index"] = "degraded: generation 1 has no items" },
                Series = ["streaming_health{part=\"index\"}"],
                Log = "Nothing to serve: generation 1 has no items",
                LogAfter = "The index holds 1 items of generation 1",
                Alerts = ["StreamingUnhealthy{part=\"index\"}"],
            }
        );
        await serve.UntilWellAsync("redis", "index");
        string item = Encoding.UTF8.GetString(new RedisKeys("alerts", bench.Values.Redis.Partitions).Items(1).Key("i1"));
        await serve.FollowAsync(
            new BrokenState("no value can be read")
            {
                Break = () => bench.RedisAsync("SET", item, "another's"),
                Mend = () => PublishAsync(bench, new Refresh(RedisKeys.Hash("i1"), "i1", new float[16], 3, 0, 0)),
                Health = new Dictionary<string, string>
                {
                    ["values"] = "degraded: every value read recently was refused: foreign: something else wrote this key",
                },
                Series = ["streaming_health{part=\"values\"}"],
                Log = "Every value read recently was refused: foreign",
                LogAfter = "Values can be read again",
                Alerts = ["StreamingUnhealthy{part=\"values\"}"],
            }
        );
        await serve.FollowAsync(
            StoreIsAway(
                bench,
                "degraded: last refreshed ",
                "is unavailable (",
                "StreamingUnhealthy{part=\"redis\"}",
                "StreamingUnhealthy{part=\"index\"}"
            )
        );
        await serve.EndAsync();

        bench.Settings["STREAMING__Serve__MaxStale"] = "0s";
        using WatchedProcess strict = await WatchedProcess.StartAsync("serve", "streaming-lookups", bench.Settings);
        await strict.UntilWellAsync("redis", "index");
        await strict.FollowAsync(
            StoreIsAway(
                bench,
                "not ready: the index is ",
                "Nothing to serve: the index is ",
                "StreamingUnhealthy{part=\"redis\"}",
                "StreamingNothingToServe{part=\"index\"}"
            )
        );
        await strict.EndAsync();
    }

    private static BrokenState StoreIsAway(WatchedBench bench, string index, string log, params string[] alerts) =>
        new("the store is away")
        {
            Break = bench.Redis.KillAsync,
            Mend = () => bench.Redis.RestartAsync(Stop),
            Health = new Dictionary<string, string>
            {
                ["redis"] = $"degraded: {bench.Redis.Configuration} unavailable: ",
                ["index"] = index,
            },
            Series = ["streaming_health{part=\"redis\"}", "streaming_health{part=\"index\"}"],
            Log = log,
            LogAfter = $"Redis at {bench.Redis.Configuration} answers again",
            Alerts = alerts,
        };

    private static async Task PublishAsync(WatchedBench bench, params Refresh[] items)
    {
        using ConnectionMultiplexer redis = await RedisConnection.OpenAsync(bench.Values.Redis, Stop);
        var publisher = new EmbeddingPublisher(redis.GetDatabase(), bench.Values.Redis, bench.Values.Model.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        await publisher.PublishAsync([.. items], [], Stop);
    }
}
