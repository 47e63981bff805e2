using Streaming.Core.Embeddings;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>As <see cref="KafkaStatesTests"/>: events, catalogue, checkpoints and Redis.</summary>
public sealed class StoreStatesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task States_OfStoreAndStream_AreReportedEverywhereUntilTheyAreOver()
    {
        await using WatchedBench bench = await WatchedBench.StartAsync("--appendonly", "yes");
        foreach (string topic in (string[])["interactions", "items", "interactions.dead-letters"])
        {
            bench.Broker.CreateTopic(topic, 1);
        }

        await bench.RedisAsync("ACL", "SETUSER", "worker", "on", ">s3cret", "~*", "&*", "+@all");
        bench.Settings["STREAMING__Redis__Configuration"] += ",user=worker,password=s3cret";
        bench.Settings["STREAMING__Kafka__Assignment"] = "Static";
        bench.SendItems(1, 2);
        bench.SendEvents(200);
        using WatchedProcess worker = await WatchedProcess.StartAsync("run", "streaming", bench.Settings);
        await worker.UntilWellAsync("kafka", "redis", "redis memory");

        await worker.FollowAsync(
            new BrokenState("the lease may not be renewed")
            {
                Break = () => bench.RedisAsync("ACL", "SETUSER", "worker", "-evalsha", "-eval"),
                Mend = () => bench.RedisAsync("ACL", "SETUSER", "worker", "+evalsha", "+eval"),
                Health = new Dictionary<string, string>
                {
                    ["lease"] = "degraded: cannot be acquired or renewed: NOPERM",
                    ["redis"] = "degraded: cannot store embeddings: NOPERM",
                },
                Series = ["streaming_health{part=\"lease\"}", "streaming_health{part=\"redis\"}"],
                Log = "Cannot acquire or renew the lease of model alerts (NOPERM",
                LogAfter = "Redis answers requests for the lease of model alerts again",
                Alerts = ["StreamingUnhealthy{part=\"lease\"}", "StreamingUnhealthy{part=\"redis\"}"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("Redis is out of memory")
            {
                Break = () => bench.RedisAsync("CONFIG", "SET", "maxmemory", "1"),
                Mend = () => bench.RedisAsync("CONFIG", "SET", "maxmemory", "0"),
                Health = new Dictionary<string, string>
                {
                    ["redis"] = "degraded: cannot store embeddings: OOM",
                    ["lease"] = "degraded: cannot be acquired or renewed: OOM",
                },
                Series = ["streaming_health{part=\"redis\"}", "streaming_health{part=\"lease\"}"],
                Log = "Redis is out of memory",
                LogAfter = "Redis accepts writes of items again",
                Alerts = ["StreamingUnhealthy{part=\"redis\"}", "StreamingUnhealthy{part=\"lease\"}"],
            }
        );
        var keys = new RedisKeys("alerts", bench.Values.Redis.Partitions);
        string fence = keys.Fence(keys.Partition(RedisKeys.Hash("i1")));
        await worker.FollowAsync(
            new BrokenState("a fence is of another type")
            {
                Break = async () =>
                {
                    await bench.RedisAsync("DEL", fence);
                    await bench.RedisAsync("LPUSH", fence, "another's");
                },
                Mend = () => bench.RedisAsync("DEL", fence),
                Health = new Dictionary<string, string> { ["redis"] = "degraded: cannot store " },
                Series = ["streaming_health{part=\"redis\"}"],
                Log = $"{fence} (a hash) or the change stream of its partition has the wrong type",
                LogAfter = "Redis has lost its data, or the fence of a partition was deleted; republishing every item",
                Alerts = ["StreamingUnhealthy{part=\"redis\"}"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("most events are duplicates")
            {
                Break = () => Task.Run(() => bench.SendEvents(2_000, static i => $"again-{i % 10}")),
                Mend = () => Task.Run(() => bench.SendEvents(2_000)),
                Health = new Dictionary<string, string> { ["events"] = "degraded: of the last 1" },
                Series = ["streaming_health{part=\"events\"}"],
                Log = "Health problem: events: of the last",
                LogAfter = "Health problem resolved: events",
                Alerts = ["StreamingEventsUnused"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("features are not scaled")
            {
                Break = () => Task.Run(() => bench.SendItems(900_000, -900_000)),
                Mend = () => Task.Run(() => bench.SendItems(1, 2)),
                Health = new Dictionary<string, string> { ["vectors"] = "degraded: the newest vector" },
                Series = ["streaming_vectors_refused{reason=\"too_large\"}", "streaming_health{part=\"vectors\"}"],
                Log = "; Float16 ends at 65,504. Scale the item's features, or set STREAMING__Redis__Element to Float32 or Int8",
                LogAfter = "Health problem resolved: vectors",
                Alerts = ["StreamingVectorsRefused{reason=\"too_large\"}"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("checkpoints cannot be written")
            {
                Break = async () =>
                {
                    Directory.Move(bench.Disk, bench.Disk + ".away");
                    await File.WriteAllTextAsync(bench.Disk, "not a folder", Stop);
                    bench.SendEvents(100);
                },
                Mend = () =>
                {
                    File.Delete(bench.Disk);
                    FaultBench.MoveBack(bench.Disk + ".away", bench.Disk);
                    bench.SendEvents(100);
                    return Task.CompletedTask;
                },
                Health = new Dictionary<string, string> { ["checkpoints"] = "degraded: the last one could not be written" },
                Series = ["streaming_health{part=\"checkpoints\"}"],
                Log = "Failed to write the checkpoint",
                Apart = TimeSpan.FromSeconds(3),
                Alerts = ["StreamingCheckpointsFail"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("Redis may evict, and the pointer is of another type")
            {
                Break = async () =>
                {
                    await bench.RedisAsync("CONFIG", "SET", "maxmemory", "1gb");
                    await bench.RedisAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
                    await bench.RedisAsync("DEL", "e:alerts:active");
                    await bench.RedisAsync("LPUSH", "e:alerts:active", "another's");
                },
                Mend = async () =>
                {
                    await bench.RedisAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
                    await bench.RedisAsync("DEL", "e:alerts:active");
                },
                Health = new Dictionary<string, string>
                {
                    ["redis memory"] = $"degraded: may evict embeddings: {bench.Redis.Configuration} (allkeys-lru)",
                    ["redis keys"] = "degraded: Redis key 'e:alerts:active' is not what a trainer writes there: WRONGTYPE",
                },
                Series = ["streaming_redis_evicting", "streaming_health{part=\"redis memory\"}", "streaming_health{part=\"redis keys\"}"],
                Log = "Set maxmemory-policy noeviction",
                LogAfter = "Redis does not evict embeddings any more",
                Alerts = ["StreamingUnhealthy{part=\"redis memory\"}", "StreamingUnhealthy{part=\"redis keys\"}"],
            }
        );
        Assert.DoesNotContain("s3cret", worker.Log, StringComparison.Ordinal);
        await worker.EndAsync();
    }
}
