using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Metrics;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Serving.Lookups;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Throughput;

/// <summary>Measures publishing and reading against a real server on this machine. Not part of a test run: start it with
/// <c>Streaming.Serving.Tests -class "*.StoreThroughput" -explicit only -showliveoutput</c>.</summary>
public sealed class StoreThroughput
{
    private const int Items = 200_000;
    private const int Dimension = 128;
    private const int ReadSize = 500;
    private const int Rounds = 1000;
    private static readonly int[] Widths = [16, 32, 64, 128];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [InlineData(EmbeddingElement.Float32)]
    [InlineData(EmbeddingElement.Float16)]
    [InlineData(EmbeddingElement.Int8)]
    public async Task PublishAndRead_ManyItems_AreAllStored(EmbeddingElement element)
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        RedisOptions options = new() { Configuration = server.Configuration + ",allowAdmin=true", Element = element };
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        EmbeddingPublisher publisher = new(connection.GetDatabase(), options, Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        double empty = await InfoAsync(connection, "memory", "used_memory");
        Refresh[] items = Make();
        TimeSpan first = await PublishAsync(publisher, items, 1);
        double full = await InfoAsync(connection, "memory", "used_memory");
        double before = await ServerSecondsAsync(connection);
        TimeSpan again = await PublishAsync(publisher, items, 2);
        double between = await ServerSecondsAsync(connection);
        string read = await ReadAsync(connection, options);
        double after = await ServerSecondsAsync(connection);

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{element}: publish {Items / first.TotalSeconds:N0} items/s new, {Items / again.TotalSeconds:N0} again "
                + $"(script p50 {publisher.Metrics.WriteTime.Quantile(0.5):F1} ms, p99 {publisher.Metrics.WriteTime.Quantile(0.99):F1} "
                + "ms); "
                + $"{(full - empty) / Items:N0} bytes/item in Redis with time to live and feed; {read}; "
                + $"server CPU {(between - before) / Items * 1e6:F2} us/item published, "
                + $"{(after - between) / (Rounds * ReadSize) * 1e6:F2} us/item read"
        );
        RedisConnection.Close(connection);
    }

    private static Refresh[] Make()
    {
        Random random = new(1);
        float[][] vectors =
        [
            .. Enumerable.Range(0, 1000).Select(_ => Enumerable.Range(0, Dimension).Select(_ => random.NextSingle() - 0.5f).ToArray()),
        ];
        return
        [
            .. Enumerable.Range(0, Items).Select(i => new Refresh(RedisKeys.Hash($"{i}"), $"{i}", vectors[i % vectors.Length], 1, 1, 0)),
        ];
    }

    private static async Task<TimeSpan> PublishAsync(EmbeddingPublisher publisher, Refresh[] items, long step)
    {
        List<Refresh> failed = [];
        long started = Stopwatch.GetTimestamp();
        foreach (Refresh[] batch in items.Chunk(4096))
        {
            await publisher.PublishAsync([.. batch.Select(item => item with { Step = step })], failed, Stop);
        }

        Assert.Empty(failed);
        return Stopwatch.GetElapsedTime(started);
    }

    private static async Task<string> ReadAsync(ConnectionMultiplexer connection, RedisOptions options)
    {
        EmbeddingReader reader = new(connection.GetDatabase(), new ServingOptions { Model = options.Model }, TimeProvider.System);
        LatencyHistogram times = new();
        Random random = new(2);
        float[] vectors = new float[ReadSize * Dimension];
        var reads = new ItemRead[ReadSize];
        long started = Stopwatch.GetTimestamp();
        for (int round = 0; round < Rounds; round++)
        {
            string[] ids = [.. Enumerable.Range(0, ReadSize).Select(_ => $"{random.Next(Items)}")];
            long at = Stopwatch.GetTimestamp();
            ReadCounts counts = await reader.ReadAsync(ids, Dimension, vectors, reads, Stop);
            times.Record(Stopwatch.GetElapsedTime(at));
            Assert.Equal(ReadSize, counts.Found);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return $"read {Rounds * ReadSize / seconds:N0} items/s by one caller, {ReadSize} a time: p50 {times.Quantile(0.5):F2} ms, p99 "
            + $"{times.Quantile(0.99):F2} ms";
    }

    /// <summary>CPU time of the server, which a busy machine affects less than wall time.</summary>
    private static async Task<double> ServerSecondsAsync(ConnectionMultiplexer connection) =>
        await InfoAsync(connection, "cpu", "used_cpu_user") + await InfoAsync(connection, "cpu", "used_cpu_sys");

    private static async Task<double> InfoAsync(ConnectionMultiplexer connection, string section, string name)
    {
        string info = (string)(await connection.GetDatabase().ExecuteAsync("INFO", section))!;
        string line = info.Split('\n').First(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return double.Parse(line.AsSpan(name.Length + 1).Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
