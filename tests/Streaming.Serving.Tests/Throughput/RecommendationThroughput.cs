using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Core.Histories;
using Streaming.Core.Metrics;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Throughput;

/// <summary>Measures recommendations over a catalogue, from user id to items, with a tower and histories of
/// random numbers. Not part of a test run: start it with
/// <c>Streaming.Serving.Tests -class "*.RecommendationThroughput" -explicit only -showliveoutput</c>.</summary>
public sealed class RecommendationThroughput
{
    private const int Items = 100_000;
    private const int Users = 1000;
    private const int HistoryLength = 50;
    private const int Found = 20;
    private const int Shortlist = 200;
    private const int WarmUp = 200;
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(3);
    private static readonly ModelOptions Model = new() { ItemCapacity = 2, HistoryLength = HistoryLength };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Action<string> Write => TestContext.Current.TestOutputHelper!.WriteLine;

    [Fact(Explicit = true)]
    public async Task Recommend_OverTheWholeCatalogue_FindsTwentyItems()
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        RedisOptions options = new() { Configuration = server.Configuration };
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        IDatabase database = connection.GetDatabase();
        await PublishAsync(database, options);
        ServingOptions serving = new();
        using EmbeddingIndex index = new(database, serving, new IndexOptions { Widths = Model.Widths }, TimeProvider.System);
        long started = Stopwatch.GetTimestamp();
        await index.LoadAsync(Stop);
        Write($"loading {index.Count:N0} items of width {Model.Dimension}: {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");

        Recommender recommender = new(database, serving, index, TimeProvider.System);
        foreach (int width in Model.Widths)
        {
            foreach (int callers in (int[])[1, 4])
            {
                Write(
                    $"width {width, 3}, {callers} caller(s): "
                        + await MeasureAsync(
                            callers,
                            async random =>
                                Assert.Equal(
                                    Found,
                                    (
                                        await recommender.ForUserAsync(
                                            $"u{random.Next(Users)}",
                                            new RecommendationQuery { Width = width, Count = Found },
                                            Stop
                                        )
                                    )!
                                        .Items
                                        .Count
                                )
                        )
                );
            }
        }

        float[] query = Vector(new Random(5));
        Neighbour[] exact = new Neighbour[Found],
            best = new Neighbour[Found];
        foreach (int width in Model.Widths)
        {
            Write($"search alone, width {width, 3}: " + await MeasureAsync(1, _ => Done(index.Search(query, width, exact))));
        }

        Write(
            $"funnel 16 → 128, shortlist {Shortlist}: " + await MeasureAsync(1, _ => Done(index.Funnel(query, 16, Shortlist, 128, best)))
        );
        RedisConnection.Close(connection);
    }

    private static Task Done(int found)
    {
        Assert.Equal(Found, found);
        return Task.CompletedTask;
    }

    private static async Task<string> MeasureAsync(int callers, Func<Random, Task> call)
    {
        LatencyHistogram times = new();
        for (int i = 0; i < WarmUp; i++)
        {
            await call(new Random(i));
        }

        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, callers)
                .Select(seed =>
                    Task.Run(async () =>
                    {
                        Random random = new(seed);
                        while (Stopwatch.GetElapsedTime(started) < Measured)
                        {
                            long at = Stopwatch.GetTimestamp();
                            await call(random);
                            times.Record(Stopwatch.GetElapsedTime(at));
                        }
                    })
                )
        );
        return $"{times.Count / Stopwatch.GetElapsedTime(started).TotalSeconds:N0} a second, p50 {times.Quantile(0.5):F2} ms, p99 "
            + $"{times.Quantile(0.99):F2} ms";
    }

    private static float[] Vector(Random random) => [.. Enumerable.Range(0, Model.Dimension).Select(_ => random.NextSingle() - 0.5f)];

    private static async Task PublishAsync(IDatabase database, RedisOptions options)
    {
        Random random = new(1);
        EmbeddingPublisher publisher = new(database, options, Model.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        foreach (int[] rows in Enumerable.Range(0, Items).Chunk(4096))
        {
            await publisher.PublishAsync(
                [.. rows.Select(i => new Refresh(RedisKeys.Hash($"{i}"), $"{i}", Vector(random), 1, 1, 0))],
                [],
                Stop
            );
        }

        HistoryStore histories = new(new HistoryOptions { Length = HistoryLength, MaxUsers = Users });
        UserHistoryBatch batch = new(Users, HistoryLength);
        for (int user = 0; user < Users; user++)
        {
            for (int i = 0; i < HistoryLength; i++)
            {
                histories.Append(
                    RedisKeys.Hash($"u{user}"),
                    RedisKeys.Hash($"{random.Next(Items)}"),
                    1_700_000_000_000 + i,
                    0,
                    new ulong[HistoryLength]
                );
            }

            batch.Add(histories, RedisKeys.Hash($"u{user}"), 0);
        }

        await new UserHistoryPublisher(database, options, TimeProvider.System).PublishAsync(batch, 1, Stop);
        using CpuEngine engine = new(Model, threads: 1);
        using TensorSource parameters = engine.CopyParameters();
        await new GenerationPublisher(database, options, TimeProvider.System).PublishAsync(
            new GenerationRecord
            {
                Generation = 1,
                Token = 1,
                Widths = Model.Widths,
            },
            Model.Widths.Select(width => KeyValuePair.Create(width, Tower(parameters, width))),
            Stop
        );
    }

    private static byte[] Tower(TensorSource parameters, int width)
    {
        using MemoryStream file = new();
        SlicedModel.Write(parameters, Model, width, new ModelVersion(1, 1, 0), projection: false, file);
        return file.ToArray();
    }
}
