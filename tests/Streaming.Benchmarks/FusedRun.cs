using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Core.Histories;
using Streaming.Kernels.Packed;
using Streaming.Lab.Embedded;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Serving;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Benchmarks;

/// <summary>
/// Recommendations and neighbours that fuse the vector with counts, against the exact search alone: from a user's id, with history and
/// lists in a real Redis on the same machine, to 20 items. Vectors, tower and lists are random.
/// </summary>
internal sealed class FusedRun(TextWriter output)
{
    private const int Found = 20;
    private const int Rounds = 101;
    private const int Users = 97;
    private const int HistoryLength = 50;
    private const int Neighbors = 50;
    private const int Successors = 50;
    private static readonly ModelOptions Model = new() { ItemCapacity = 2, HistoryLength = HistoryLength };
    private readonly Neighbour[] _best = new Neighbour[Found];

    /// <summary>Measures.</summary>
    /// <param name="items">Items of the catalogue.</param>
    public async Task RunAsync(int items)
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync().ConfigureAwait(false);
        RedisOptions options = new() { Configuration = server.Configuration };
        using ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options).ConfigureAwait(false);
        IDatabase database = connection.GetDatabase();
        await PublishAsync(database, options, items).ConfigureAwait(false);
        using VectorTable table = SearchRun.Fill(items, [.. Model.Widths], RowElement.Float16);
        IndexView view = new(1, Model.Widths, table);
        ServingOptions serving = new();
        using EmbeddingIndex index = new(database, serving, new IndexOptions { Widths = Model.Widths }, TimeProvider.System);
        Recommender recommender = new(database, serving, index, TimeProvider.System);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{items:N0} items × {Model.Dimension} Float16, {Found} found, histories of {HistoryLength}, lists of {Neighbors} neighbors and {Successors} successors"
            )
        );
        foreach (int width in Model.Widths.Reverse())
        {
            Measure(view, recommender, width);
        }
    }

    private void Measure(IndexView view, Recommender recommender, int width)
    {
        float[] query = SearchRun.Random(new Random(7), width);
        SearchOptions search = new() { Width = width, Cosine = true };
        int turn = 0;
        Task<Recommendation?> Recommend(bool counts) =>
            recommender.ForUserAsync(
                $"u{turn++ % Users}",
                new()
                {
                    Width = width,
                    View = view,
                    Count = Found,
                    Counts = counts,
                }
            );
        Task<SimilarItems> Similar(bool counts)
        {
            string id = Id(turn++ % Users);
            float[] vector = new float[width];
            view.TryRead(RedisKeys.Hash(id), vector, out _, out _);
            return recommender.SimilarAsync(
                id,
                vector,
                new()
                {
                    Width = width,
                    View = view,
                    Count = Found,
                    Counts = counts,
                }
            );
        }

        (string Name, Func<int> Call)[] calls =
        [
            ("search alone", () => view.Search(query, in search, _best)),
            ("recommendations by the vector", () => Require(Recommend(counts: false).GetAwaiter().GetResult()!.IsFused, false)),
            ("recommendations, fused", () => Require(Recommend(counts: true).GetAwaiter().GetResult()!.IsFused, true)),
            ("neighbours by the vector", () => Require(Similar(counts: false).GetAwaiter().GetResult().IsFused, false)),
            ("neighbours, fused", () => Require(Similar(counts: true).GetAwaiter().GetResult().IsFused, true)),
        ];
        Array.ForEach(calls, static call => call.Call());
        double[][] times = Timing.Interleave(
            Rounds,
            [.. calls.Select<(string, Func<int> Call), Func<double>>(call => () => Timing.Once(() => call.Call()))]
        );
        Table report = new(output, $"answer, width {width}", "ms", "times the search alone");
        for (int i = 0; i < calls.Length; i++)
        {
            double part = Timing.Median(times[i]) / Timing.Median(times[0]);
            report.Row($"{calls[i].Name}", $"{Timing.Median(times[i]) * 1e3:F2}", $"{part:F2}");
        }
    }

    private static int Require(bool isFused, bool expected) =>
        isFused == expected ? 0 : throw new InvalidOperationException($"An answer is fused: {isFused}; expected: {expected}.");

    private static string Id(int item) => $"item-{item}";

    /// <summary>Publishes towers, and histories and lists of the items in them.</summary>
    private static async Task PublishAsync(IDatabase database, RedisOptions options, int items)
    {
        Random random = new(1);
        await new EmbeddingPublisher(database, options, Model.Widths, TimeProvider.System).OpenAsync(1, 1).ConfigureAwait(false);
        RedisKeys keys = new(options.Model, options.Partitions);
        HistoryStore histories = new(new HistoryOptions { Length = HistoryLength, MaxUsers = Users });
        UserHistoryBatch batch = new(Users, HistoryLength);
        HashSet<int> counted = [.. Enumerable.Range(0, Users)];
        for (int user = 0; user < Users; user++)
        {
            for (int i = 0; i < HistoryLength; i++)
            {
                int item = random.Next(items);
                counted.Add(item);
                histories.Append(RedisKeys.Hash($"u{user}"), RedisKeys.Hash(Id(item)), 1_700_000_000_000 + i, 0, new ulong[HistoryLength]);
            }

            batch.Add(histories, RedisKeys.Hash($"u{user}"), 0);
        }

        RelatedItem[] Some(int count) =>
            [.. Enumerable.Range(0, count).Select(i => new RelatedItem(RedisKeys.Hash(Id(random.Next(items))), 1f / (i + 1)))];
        await database
            .StringSetAsync([
                .. counted.Select(item =>
                    KeyValuePair.Create<RedisKey, RedisValue>(
                        keys.Related(1, RedisKeys.Hash(Id(item))),
                        RelatedItemsValue.Encode(new RelatedItems(10, Some(Neighbors), Some(Successors)), 1, 1)
                    )
                ),
            ])
            .ConfigureAwait(false);
        await new UserHistoryPublisher(database, options, TimeProvider.System).PublishAsync(batch, 1).ConfigureAwait(false);
        using CpuEngine engine = new(Model, threads: 1);
        using TensorSource parameters = engine.CopyParameters();
        await new GenerationPublisher(database, options, TimeProvider.System)
            .PublishAsync(
                new GenerationRecord
                {
                    Generation = 1,
                    Token = 1,
                    Widths = Model.Widths,
                },
                Model.Widths.Select(width => KeyValuePair.Create(width, Tower(parameters, width)))
            )
            .ConfigureAwait(false);
    }

    private static byte[] Tower(TensorSource parameters, int width)
    {
        using MemoryStream file = new();
        SlicedModel.Write(parameters, Model, width, new ModelVersion(1, 1, 0), projection: false, file);
        return file.ToArray();
    }
}
