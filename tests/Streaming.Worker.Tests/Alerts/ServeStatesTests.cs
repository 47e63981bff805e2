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
        bench.Settings["STREAMING__Serve__MaxStale"] = "4s";
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
                Log = "Nothing to serve yet: no generation is published: e:alerts:active is not set",
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
                Log = "Nothing to serve yet: generation 1 has no items",
                LogAfter = "The index holds 1 items of generation 1",
                Alerts = ["StreamingUnhealthy{part=\"index\"}"],
            }
        );
        await serve.UntilWellAsync("redis", "index");
        await serve.FollowAsync(
            new BrokenState("the store is away")
            {
                Break = bench.Redis.KillAsync,
                Health = new Dictionary<string, string>
                {
                    ["redis"] = $"degraded: {bench.Redis.Configuration} unavailable: ",
                    ["index"] = "degraded: last refreshed ",
                },
                Series = ["streaming_health{part=\"redis\"}", "streaming_health{part=\"index\"}"],
                Log = $"Redis at {bench.Redis.Configuration} is unavailable (",
                Alerts = ["StreamingUnhealthy{part=\"redis\"}", "StreamingUnhealthy{part=\"index\"}"],
            }
        );
        await serve.FollowAsync(
            new BrokenState("the store is away for longer than the index may be old")
            {
                Break = static () => Task.CompletedTask,
                Mend = () => bench.Redis.RestartAsync(Stop),
                Health = new Dictionary<string, string>
                {
                    ["redis"] = $"degraded: {bench.Redis.Configuration} unavailable: ",
                    ["index"] = "not ready: the index is ",
                },
                Series = ["streaming_health{part=\"redis\"}", "streaming_health{part=\"index\"}"],
                Log = string.Empty,
                LogAfter = $"Redis at {bench.Redis.Configuration} answers again",
                Alerts = ["StreamingUnhealthy{part=\"redis\"}", "StreamingNothingToServe{part=\"index\"}"],
            }
        );
        await serve.EndAsync();
    }

    private static async Task PublishAsync(WatchedBench bench, params Refresh[] items)
    {
        using ConnectionMultiplexer redis = await RedisConnection.OpenAsync(bench.Values.Redis, Stop);
        var publisher = new EmbeddingPublisher(redis.GetDatabase(), bench.Values.Redis, bench.Values.Model.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        await publisher.PublishAsync([.. items], [], Stop);
    }
}
