using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Metrics;
using Streaming.Core.Refreshes;
using Streaming.Serving.Lookups;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Throughput;

/// <summary>Compares lookups of 500 items on a cluster of three masters with the same commands, one per slot, on one
/// server (a cluster of one). Not part of a test run: start it with
/// <c>Streaming.Serving.Tests -class "*.ClusterThroughput" -explicit only -showliveoutput</c>.</summary>
public sealed class ClusterThroughput
{
    private const int Items = 50_000;
    private const int Dimension = 128;
    private const int ReadSize = 500;
    private const int Rounds = 300;
    private const int Turns = 5;
    private static readonly int[] Widths = [16, 32, 64, 128];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [InlineData(4)]
    [InlineData(64)]
    [InlineData(256)]
    public async Task Lookup_OnThreeMastersAndOnOne_FindsEveryItem(int partitions)
    {
        await using RedisCluster one = await RedisCluster.StartAsync(masters: 1, replicas: 0);
        await using RedisCluster three = await RedisCluster.StartAsync(masters: 3, replicas: 0);
        (EmbeddingReader Reader, RedisCluster Cluster)[] stores =
        [
            (await FillAsync(one, partitions), one),
            (await FillAsync(three, partitions), three),
        ];
        LatencyHistogram[] times = [new(), new()];
        long[] commands = new long[2];
        for (int turn = 0; turn < Turns; turn++)
        {
            // In turns: on a shared machine, disturbances should affect both.
            for (int i = 0; i < stores.Length; i++)
            {
                long before = await CallsAsync(stores[i].Cluster);
                await ReadAsync(stores[i].Reader, times[i], turn);
                commands[i] += await CallsAsync(stores[i].Cluster) - before;
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{partitions} partitions: {commands[1] / (double)(Rounds * Turns):F1} commands a lookup of {ReadSize} on three masters "
                + $"({commands[0] / (double)(Rounds * Turns):F1} on one); "
                + $"p50 {times[1].Quantile(0.5):F2} ms against {times[0].Quantile(0.5):F2} ms on one "
                + $"({times[1].Quantile(0.5) / times[0].Quantile(0.5):F2} times), "
                + $"p99 {times[1].Quantile(0.99):F2} against {times[0].Quantile(0.99):F2} ms"
        );
    }

    private static async Task<EmbeddingReader> FillAsync(RedisCluster cluster, int partitions)
    {
        RedisOptions options = new() { Configuration = cluster.Configuration, Partitions = partitions };
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        EmbeddingPublisher publisher = new(connection.GetDatabase(), options, Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        Random random = new(1);
        foreach (int[] rows in Enumerable.Range(0, Items).Chunk(4096))
        {
            List<Refresh> failed = [];
            await publisher.PublishAsync(
                [
                    .. rows.Select(i => new Refresh(
                        RedisKeys.Hash($"{i}"),
                        $"{i}",
                        [.. Enumerable.Range(0, Dimension).Select(_ => random.NextSingle() - 0.5f)],
                        1,
                        1,
                        0
                    )),
                ],
                failed,
                Stop
            );
            Assert.Empty(failed);
        }

        return new EmbeddingReader(
            connection.GetDatabase(),
            new ServingOptions { Partitions = partitions, Timeout = TimeSpan.FromSeconds(10) },
            TimeProvider.System
        );
    }

    private static async Task ReadAsync(EmbeddingReader reader, LatencyHistogram times, int seed)
    {
        Random random = new(seed);
        float[] vectors = new float[ReadSize * Dimension];
        var reads = new ItemRead[ReadSize];
        for (int round = 0; round < Rounds; round++)
        {
            string[] ids = [.. Enumerable.Range(0, ReadSize).Select(_ => $"{random.Next(Items)}")];
            long at = Stopwatch.GetTimestamp();
            ReadCounts counts = await reader.ReadAsync(ids, Dimension, vectors, reads, Stop);
            times.Record(Stopwatch.GetElapsedTime(at));
            Assert.Equal(ReadSize, counts.Found);
        }
    }

    private static async Task<long> CallsAsync(RedisCluster cluster)
    {
        long calls = 0;
        foreach (RedisNode node in cluster.Nodes)
        {
            string line = await node.InfoAsync("commandstats", "cmdstat_mget");
            calls +=
                line.Length == 0
                    ? 0
                    : long.Parse(
                        line.AsSpan("calls=".Length, line.IndexOf(',', StringComparison.Ordinal) - "calls=".Length),
                        System.Globalization.CultureInfo.InvariantCulture
                    );
        }

        return calls;
    }
}
