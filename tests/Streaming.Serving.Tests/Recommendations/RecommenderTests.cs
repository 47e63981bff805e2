using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Learning.Cpu;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Serving.Filters;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Recommendations;

public sealed class RecommenderTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private const int Items = 200;
    private const string User = "ann";
    private static readonly int[] Seen = [3, 17, 4, 150, 17];

    private readonly RedisOptions _options = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ServingOptions Serving => ServingFixture.Serving(_options);

    [Theory]
    [InlineData(TowerKind.FmrlRec, 4, true)]
    [InlineData(TowerKind.FmrlRec, 16, true)]
    [InlineData(TowerKind.FmrlRec, 8, false)]
    [InlineData(TowerKind.Gru4Rec, 8, true)]
    [InlineData(TowerKind.Mind, 8, true)]
    [InlineData(TowerKind.Mind, 16, false)]
    public async Task ForUserAsync_PublishedHistory_RanksAsTheTrainersOwnVectorsDo(TowerKind kind, int width, bool cosine)
    {
        ModelOptions model = Model(kind, cosine);
        using var engine = new CpuEngine(model, threads: 1);
        await PublishAsync(engine, generation: 1);
        await PublishHistoryAsync();
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);

        Recommendation? shown = await recommender.ForUserAsync(User, Ask(width, 10, false), Stop);
        Assert.Equal(Seen.Select(Id), shown!.History);
        AssertRanking(Expected(engine, Seen, width).Take(10), shown);

        shown = await recommender.ForUserAsync(User, Ask(width, 10, true), Stop);
        AssertRanking(Expected(engine, Seen, width).Where(item => !Seen.Contains(item.Item)).Take(10), shown!);

        shown = await recommender.ForItemsAsync([.. Seen.Select(Id), "unknown"], Ask(width, Items, true), Stop);
        AssertRanking(Expected(engine, Seen, width).Where(item => !Seen.Contains(item.Item)), shown!);
    }

    [Fact]
    public async Task ForUserAsync_UserWithoutHistory_GetsWhatTheStartVectorRanks()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1);
        using EmbeddingIndex index = await IndexAsync();

        Recommendation? shown = await new Recommender(redis.Database, Serving, index, TimeProvider.System).ForUserAsync(
            "nobody",
            Ask(16, 10, true),
            Stop
        );

        Assert.Empty(shown!.History);
        AssertRanking(Expected(engine, [], 16).Take(10), shown);
    }

    [Fact]
    public async Task ForUserAsync_Session_ContinuesThePublishedHistory()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1);
        await PublishHistoryAsync();
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        // The last item of the history is the session's first.
        RecommendationQuery query = Ask(16, 10, true) with
        {
            Session = [Id(17), Id(9), Id(60)],
        };

        Recommendation? shown = await recommender.ForUserAsync(User, query, Stop);
        int[] whole = [.. Seen, 9, 60];
        Assert.Equal(whole.Select(Id), shown!.History);
        AssertRanking(Expected(engine, whole, 16).Where(item => !whole.Contains(item.Item)).Take(10), shown);
    }

    [Fact]
    public async Task ForItemsAsync_LongerThanTheModelsHistory_UsesTheNewest()
    {
        ModelOptions model = Model(TowerKind.FmrlRec, cosine: true);
        using var engine = new CpuEngine(model, threads: 1);
        await PublishAsync(engine, generation: 1);
        using EmbeddingIndex index = await IndexAsync();
        int[] events = [.. Enumerable.Range(0, 50)];

        Recommendation? shown = await new Recommender(redis.Database, Serving, index, TimeProvider.System).ForItemsAsync(
            [.. events.Select(Id)],
            Ask(16, 5, false),
            Stop
        );

        Assert.Equal(events.TakeLast(model.HistoryLength).Select(Id), shown!.History);
        AssertRanking(Expected(engine, [.. events.TakeLast(model.HistoryLength)], 16).Take(5), shown);
    }

    [Fact]
    public async Task ForUserAsync_NoTowerOrAnotherGeneration_IsNotMixed()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await redis.OpenAsync(_options);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        Assert.Null(await recommender.ForUserAsync(User, Ask(8, 5, true), Stop));

        await PublishAsync(engine, generation: 1);
        await index.RefreshAsync(Stop);
        Assert.Equal(5, (await recommender.ForUserAsync(User, Ask(8, 5, true), Stop))!.Items.Count);

        await PublishAsync(engine, generation: 2);
        await redis.Database.StringSetAsync(new RedisKeys(_options.Model, _options.Partitions).Active, "2");
        // Until the index has loaded the other generation, items and tower are of the current one.
        Assert.Equal(1u, (await recommender.ForUserAsync(User, Ask(8, 5, true), Stop))!.Model.Generation);
        await index.RefreshAsync(Stop);
        Assert.Equal(2u, (await recommender.ForUserAsync(User, Ask(8, 5, true), Stop))!.Model.Generation);
    }

    [Fact]
    public async Task ForItemsAsync_ManyAtATime_AllGetTheSame()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(
            redis.Database,
            Serving with
            {
                PointerLifetime = TimeSpan.FromMilliseconds(1),
            },
            index,
            TimeProvider.System
        );
        string[] ids = [.. Seen.Select(Id)];
        Recommendation first = (await recommender.ForItemsAsync(ids, Ask(16, 20, true), Stop))!;

        await Parallel.ForAsync(
            0,
            400,
            Stop,
            async (_, stop) => Assert.Equal(first.Items, (await recommender.ForItemsAsync(ids, Ask(16, 20, true), stop))!.Items)
        );
    }

    [Fact]
    public async Task ForItemsAsync_MoreThanTheModelsHistory_LeavesAllOfThemOut()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        string[] seen = [.. Enumerable.Range(0, Items - 7).Select(Id)],
            rest = [.. Enumerable.Range(Items - 7, 7).Select(Id)];

        Recommendation shown = (await recommender.ForItemsAsync(seen, Ask(16, Items, true), Stop))!;
        Assert.Equal(rest, shown.Items.Select(item => item.Id).Order());

        shown = (await recommender.ForItemsAsync(seen, Ask(16, Items, true) with { Exclude = [rest[0], "unknown", seen[0]] }, Stop))!;
        Assert.Equal(rest[1..], shown.Items.Select(item => item.Id).Order());

        // Exclusions do not use up the shortlist.
        shown = (await recommender.ForItemsAsync(seen, Ask(16, 7, true) with { Shortlist = 1, Narrow = 4 }, Stop))!;
        Assert.Equal(rest, shown.Items.Select(item => item.Id).Order());
    }

    [Fact]
    public async Task ForUserAsync_PublishedMoreThanTheModelsHistory_LeavesAllOfItOut()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1);
        HistoryStore histories = new(new HistoryOptions { Length = 150, MaxUsers = 10 });
        for (int i = 0; i < 150; i++)
        {
            histories.Append(RedisKeys.Hash(User), RedisKeys.Hash(Id(i)), 1_700_000_000_000 + i, 0, new ulong[150]);
        }

        UserHistoryBatch batch = new(10, 150);
        batch.Add(histories, RedisKeys.Hash(User), 0);
        await new UserHistoryPublisher(redis.Database, _options, TimeProvider.System).PublishAsync(batch, 1, Stop);
        using EmbeddingIndex index = await IndexAsync();

        Recommendation shown = (
            await new Recommender(redis.Database, Serving, index, TimeProvider.System).ForUserAsync(User, Ask(8, Items, true), Stop)
        )!;

        Assert.Equal(Enumerable.Range(138, 12).Select(Id), shown.History);
        Assert.Equal(Enumerable.Range(150, 50).Select(Id).Order(), shown.Items.Select(item => item.Id).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ForItemsAsync_CountsPublished_RanksByBothReciprocally(bool excludeSeen)
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        Dictionary<int, RelatedItems> lists = Lists();
        await PublishAsync(engine, generation: 1, lists);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);

        Recommendation shown = (await recommender.ForItemsAsync([.. Seen.Select(Id)], Ask(16, 30, excludeSeen), Stop))!;

        Assert.True(shown.IsFused);
        AssertRanking(Fused([.. Expected(engine, Seen, 16)], lists, Seen, !excludeSeen, excludeSeen ? NotIn(Seen) : null).Take(30), shown);
        Assert.Equal(shown.Items, (await recommender.ForItemsAsync([.. Seen.Select(Id)], Ask(16, 30, excludeSeen), Stop))!.Items);
        Assert.False(
            (await recommender.ForItemsAsync([.. Seen.Select(Id)], Ask(16, 30, excludeSeen) with { Counts = false }, Stop))!.IsFused
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ForItemsAsync_Filter_RanksThePassingItemsAmongThemselves(bool counts)
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        Dictionary<int, RelatedItems> lists = Lists();
        await redis.PublishModelAsync(_options, engine, Items, 1, lists, withAttributes: true);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        RecommendationQuery query = Ask(16, 30, excludeSeen: false) with
        {
            Counts = counts,
            Filter = new() { Must = [ItemCondition.Parse("category:c3|c4|c5")], Not = [ItemCondition.Parse("price:100..120")] },
        };
        static bool Passes(int item) => item % 7 is (3 or 4 or 5) && item is (< 100 or > 120);

        Recommendation shown = (await recommender.ForItemsAsync([.. Seen.Select(Id)], query, Stop))!;
        (int Item, double Score)[] vector = [.. Expected(engine, Seen, 16)];
        AssertRanking(
            (counts ? Fused(vector, lists, Seen, withOwn: true, Passes) : vector.Where(item => Passes(item.Item))).Take(30),
            shown
        );
        Assert.False(shown.IsNewUser);

        // Boosts and a limit, on what remains.
        query = query with
        {
            Boosts = [new(ItemCondition.Parse("category:c4"), 1.3f), new(ItemCondition.Parse("price:..50"), 0.5f)],
            Diversity = new("category", 4),
        };
        shown = (await recommender.ForItemsAsync([.. Seen.Select(Id)], query, Stop))!;
        IEnumerable<(int Item, double Score)> boosted = (
            counts ? Fused(vector, lists, Seen, withOwn: true, Passes) : vector.Where(item => Passes(item.Item))
        )
            .Select(item => (item.Item, Boosted(Boosted(item.Score, item.Item % 7 == 4, 1.3), item.Item <= 50, 0.5)))
            .OrderByDescending(static item => item.Item2);
        AssertRanking(
            boosted
                .GroupBy(static item => item.Item % 7)
                .SelectMany(static group => group.Take(4))
                .OrderByDescending(static item => item.Item2),
            shown
        );

        static double Boosted(double score, bool applies, double factor) =>
            !applies ? score
            : score < 0 ? score / factor
            : score * factor;
    }

    [Fact]
    public async Task ForUserAsync_FilterThatFitsNoField_IsRefusedByName()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await redis.PublishModelAsync(_options, engine, Items, 1, null, withAttributes: true);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        Task<Recommendation?> Wrong(Func<RecommendationQuery, RecommendationQuery> rules) =>
            recommender.ForUserAsync(User, rules(Ask(16, 5, true)), Stop);

        Assert.Contains(
            "\"colour\"",
            (
                await Assert.ThrowsAsync<ItemFilterException>(() =>
                    Wrong(query => query with { Filter = new() { Any = [ItemCondition.Parse("colour:red")] } })
                )
            ).Message,
            StringComparison.Ordinal
        );
        await Assert.ThrowsAsync<ItemFilterException>(() =>
            Wrong(query => query with { Boosts = [new(ItemCondition.Parse("colour:red"), 2)] })
        );
        Assert.Equal(
            "field \"price\" is a number; allowed to diversify by: category",
            (await Assert.ThrowsAsync<ItemFilterException>(() => Wrong(query => query with { Diversity = new("price", 2) }))).Message
        );
        Assert.True((await recommender.ForUserAsync("nobody", Ask(16, 5, true), Stop))!.IsNewUser);
    }

    [Fact]
    public async Task ForItemsAsync_CountedItemRemoved_IsNotRecommended()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1, Lists());
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await publisher.PublishAsync([ServingFixture.Item(101, 2, null)], [], Stop);
        using EmbeddingIndex index = await IndexAsync();

        Recommendation shown = (
            await new Recommender(redis.Database, Serving, index, TimeProvider.System).ForItemsAsync(
                [.. Seen.Select(Id)],
                Ask(16, Items, true),
                Stop
            )
        )!;

        Assert.DoesNotContain(Id(101), shown.Items.Select(item => item.Id));
        Assert.False(
            await redis.Database.KeyExistsAsync(new RedisKeys(_options.Model, _options.Partitions).Related(1, RedisKeys.Hash(Id(101))))
        );
    }

    [Theory]
    [InlineData(16, false)]
    [InlineData(16, true)]
    [InlineData(5, true)]
    public async Task SimilarAsync_CountsPublished_RanksByBothReciprocally(int width, bool filtered)
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        Dictionary<int, RelatedItems> lists = Lists();
        await redis.PublishModelAsync(_options, engine, Items, 1, lists, withAttributes: true);
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        int left = lists[7].Neighbors.Select(static item => item.Item).Select(Row).First(static item => item != 7);
        ItemQuery query = new()
        {
            Width = width,
            Count = 30,
            Exclude = [Id(left), "unknown"],
            Filter = filtered ? new() { Must = [ItemCondition.Parse("category:c3|c4|c5")] } : null,
        };
        bool Passes(int item) => item != 7 && item != left && (!filtered || item % 7 is (3 or 4 or 5));

        SimilarItems shown = await recommender.SimilarAsync(Id(7), Vector(index, 7, width), query, Stop);
        Assert.True(shown.IsFused);
        AssertRanking(Fused([.. Nearest(engine, 7, width)], lists, [7], withOwn: false, Passes).Take(30), shown.Items);
        // From the second answer on, the search does not wait for the lists.
        Assert.Equal(shown.Items, (await recommender.SimilarAsync(Id(7), Vector(index, 7, width), query, Stop)).Items);

        shown = await recommender.SimilarAsync(Id(7), Vector(index, 7, width), query with { Counts = false }, Stop);
        Assert.False(shown.IsFused);
        AssertRanking(Nearest(engine, 7, width).Where(item => Passes(item.Item)).Take(30), shown.Items);
    }

    [Fact]
    public async Task SimilarAsync_ItemWithoutCountsOrVectorOfAnotherLength_IsByTheVectorOrRefused()
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        await PublishAsync(engine, generation: 1, Lists());
        await redis.Database.KeyDeleteAsync(new RedisKeys(_options.Model, _options.Partitions).Related(1, RedisKeys.Hash(Id(7))));
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);
        ItemQuery query = new() { Width = 8, Count = 10 };

        SimilarItems shown = await recommender.SimilarAsync(Id(7), Vector(index, 7, 8), query, Stop);
        Assert.False(shown.IsFused);
        AssertRanking(Nearest(engine, 7, 8).Where(static item => item.Item != 7).Take(10), shown.Items);
        Assert.True((await recommender.SimilarAsync(Id(8), Vector(index, 8, 8), query, Stop)).IsFused);
        Assert.Equal(shown.Items, (await recommender.SimilarAsync(Id(7), Vector(index, 7, 8), query, Stop)).Items);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            "vector",
            () => recommender.SimilarAsync(Id(7), Vector(index, 7, 16), query, Stop)
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BecauseAsync_CountsPublished_ListsTheFusedNeighboursOfEachItemOnce(bool counts)
    {
        using var engine = new CpuEngine(Model(TowerKind.FmrlRec, cosine: true), threads: 1);
        Dictionary<int, RelatedItems> lists = Lists();
        await PublishAsync(engine, generation: 1, lists);
        await PublishHistoryAsync();
        // Nothing was counted with the second item of the answer.
        await redis.Database.KeyDeleteAsync(new RedisKeys(_options.Model, _options.Partitions).Related(1, RedisKeys.Hash(Id(150))));
        using EmbeddingIndex index = await IndexAsync();
        Recommender recommender = new(redis.Database, Serving, index, TimeProvider.System);

        IReadOnlyList<BecauseList> shown = await recommender.BecauseAsync(User, Ask(16, 6, true) with { Counts = counts }, 3, Stop);

        Assert.Equal([Id(17), Id(150), Id(4)], shown.Select(static list => list.Because));
        Assert.Equal([counts, false, counts], shown.Select(static list => list.IsFused));
        HashSet<int> without = [.. Seen];
        foreach ((BecauseList list, int item) in shown.Zip([17, 150, 4]))
        {
            (int Item, double Score)[] vector = [.. Nearest(engine, item, 16).Where(other => !without.Contains(other.Item))];
            AssertRanking((list.IsFused ? Fused(vector, lists, [item], withOwn: false, NotIn(without)) : vector).Take(6), list.Items);
            without.UnionWith(list.Items.Select(static other => Row(RedisKeys.Hash(other.Id))));
        }
    }

    /// <summary>Of every item some others, by chance.</summary>
    private static Dictionary<int, RelatedItems> Lists()
    {
        Random random = new(5);
        RelatedItem[] Some(int count) =>
            [
                .. Enumerable
                    .Range(0, Items)
                    .OrderBy(_ => random.Next())
                    .Take(count)
                    .Select(item => new RelatedItem(RedisKeys.Hash(Id(item)), random.NextSingle() + 0.01f))
                    .OrderByDescending(item => item.Weight),
            ];
        return Enumerable.Range(0, Items).ToDictionary(item => item, _ => new RelatedItems(3, Some(20), Some(8)));
    }

    /// <summary>
    /// The fused ranking in plain code: Σ weight / (40 + rank) over the model's list, neighbors, successors and own items.
    /// </summary>
    private static IEnumerable<(int Item, double Score)> Fused(
        (int Item, double Score)[] vector,
        Dictionary<int, RelatedItems> lists,
        int[] history,
        bool withOwn,
        Func<int, bool>? admitted = null
    )
    {
        var rows = Enumerable.Range(0, Items).ToDictionary(item => RedisKeys.Hash(Id(item)), item => item);
        bool Allowed(int item) => admitted?.Invoke(item) != false;
        Dictionary<int, double> neighbors = [];
        for (int p = 0; p < Math.Min(3, history.Length); p++)
        {
            foreach (RelatedItem item in lists[history[^(p + 1)]].Neighbors.Where(item => Allowed(rows[item.Item])))
            {
                neighbors[rows[item.Item]] = neighbors.GetValueOrDefault(rows[item.Item]) + (Math.Pow(0.8, p) * item.Weight);
            }
        }

        int[][] rankings =
        [
            [.. vector.Select(item => item.Item).Where(Allowed)],
            [.. neighbors.OrderByDescending(pair => pair.Value).Select(pair => pair.Key)],
            [.. lists[history[^1]].Successors.Select(item => rows[item.Item]).Where(Allowed)],
            withOwn ? [.. history.Reverse().Distinct().Where(Allowed)] : [],
        ];
        double[] weights = [1, 1, 0.5, 1];
        return Enumerable
            .Range(0, Items)
            .Select(item =>
                (
                    item,
                    rankings
                        .Select((ranking, list) => Array.IndexOf(ranking, item) is >= 0 and int rank ? weights[list] / (40 + rank) : 0)
                        .Sum()
                )
            )
            .Where(item => item.Item2 > 0)
            .OrderByDescending(item => item.Item2);
    }

    private static Func<int, bool> NotIn(IEnumerable<int> items) => item => !items.Contains(item);

    private static RecommendationQuery Ask(int width, int count, bool excludeSeen) =>
        new()
        {
            Width = width,
            Count = count,
            ExcludeSeen = excludeSeen,
        };

    private static string Id(int row) => $"item{row}";

    private static int Row(ulong key) => Enumerable.Range(0, Items).First(item => RedisKeys.Hash(Id(item)) == key);

    private static float[] Vector(EmbeddingIndex index, int item, int width)
    {
        float[] vector = new float[width];
        Assert.True(index.Current.TryRead(RedisKeys.Hash(Id(item)), vector, out _, out _));
        return vector;
    }

    private static ModelOptions Model(TowerKind kind, bool cosine) =>
        new()
        {
            Widths = ServingFixture.Widths,
            Tower = kind,
            Cosine = cosine,
            Interests = 3,
            Layers = 1,
            ItemCapacity = Items,
            HistoryLength = 12,
            BankCapacity = 8,
            ItemDeviation = 0.3f,
        };

    private static void AssertRanking(IEnumerable<(int Item, double Score)> expected, Recommendation shown) =>
        AssertRanking(expected, shown.Items);

    private static void AssertRanking(IEnumerable<(int Item, double Score)> expected, IReadOnlyList<Neighbour> shown)
    {
        (int Item, double Score)[] all = [.. expected];
        Assert.Equal(all.Select(item => Id(item.Item)), shown.Select(item => item.Id));
        Assert.All(all.Zip(shown), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
    }

    /// <summary>All items by the cosine with one, in plain arithmetic.</summary>
    private static IEnumerable<(int Item, double Score)> Nearest(CpuEngine engine, int item, int width)
    {
        int dimension = engine.Model.Dimension;
        float[] items = new float[Items * dimension];
        engine.EncodeItems([.. Enumerable.Range(0, Items)], items);
        return Enumerable
            .Range(0, Items)
            .Select(other => (other, Score(items.AsSpan(item * dimension, width), items.AsSpan(other * dimension, width), cosine: true)))
            .OrderByDescending(static other => other.Item2);
    }

    /// <summary>All items by the engine's own encoding, in plain arithmetic.</summary>
    private static IEnumerable<(int Item, double Score)> Expected(CpuEngine engine, int[] history, int width)
    {
        ModelOptions model = engine.Model;
        int interests = model.VectorsPerUser;
        float[] users = new float[interests * model.Dimension],
            items = new float[Items * model.Dimension];
        engine.EncodeUsers(new JaggedRows { Rows = history, Offsets = [0, history.Length] }, users);
        engine.EncodeItems([.. Enumerable.Range(0, Items)], items);
        return Enumerable
            .Range(0, Items)
            .Select(item =>
                (
                    item,
                    Enumerable
                        .Range(0, interests)
                        .Max(interest =>
                            Score(
                                users.AsSpan(interest * model.Dimension, width),
                                items.AsSpan(item * model.Dimension, width),
                                model.Cosine
                            )
                        )
                )
            )
            .OrderByDescending(item => item.Item2);
    }

    private static double Score(ReadOnlySpan<float> user, ReadOnlySpan<float> item, bool cosine)
    {
        double dot = 0,
            userNorm = 0,
            itemNorm = 0;
        for (int i = 0; i < user.Length; i++)
        {
            dot += (double)user[i] * item[i];
            userNorm += (double)user[i] * user[i];
            itemNorm += (double)item[i] * item[i];
        }

        return cosine ? dot / Math.Sqrt(userNorm * itemNorm) : dot;
    }

    private Task PublishAsync(CpuEngine engine, uint generation, Dictionary<int, RelatedItems>? lists = null) =>
        redis.PublishModelAsync(_options, engine, Items, generation, lists);

    private async Task PublishHistoryAsync()
    {
        HistoryStore histories = new(new HistoryOptions { Length = 12, MaxUsers = 10 });
        for (int i = 0; i < Seen.Length; i++)
        {
            histories.Append(RedisKeys.Hash(User), RedisKeys.Hash(Id(Seen[i])), 1_700_000_000_000 + i, 0, new ulong[12]);
        }

        UserHistoryBatch batch = new(1, 12);
        batch.Add(histories, RedisKeys.Hash(User), 0);
        await new UserHistoryPublisher(redis.Database, _options, TimeProvider.System).PublishAsync(batch, 1, Stop);
    }

    private async Task<EmbeddingIndex> IndexAsync()
    {
        EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        return index;
    }
}
