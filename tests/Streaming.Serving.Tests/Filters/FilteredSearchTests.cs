using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Core.Items;
using Streaming.Core.Refreshes;
using Streaming.Serving.Clients;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Filters;

public sealed class FilteredSearchTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private const int Items = 6000;

    private readonly RedisOptions _options = redis.Options();
    private readonly Random _random = new(11);
    private readonly Dictionary<string, FilteredItem> _truth = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Search_Filters_FindsWhatAPlainLoopOverThePassingItemsFinds()
    {
        await PublishAsync(await OpenAsync(), Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);

        Assert.Equal(FilteredItem.Fields, index.Current.Attributes);
        AssertExact(index.Current, rounds: 60);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(4000)]
    public async Task Search_FilterThatTheNearestItemsFail_FindsWhatAPlainLoopFinds(int count)
    {
        EmbeddingPublisher publisher = await OpenAsync();
        int[] items = [.. Enumerable.Range(0, Items)];
        foreach (int i in items)
        {
            float[] vector = ServingFixture.Vector(_random);
            _truth[$"item{i}"] = FilteredItem.Some(_random, vector) with { Category = vector[0] > -0.5f ? "near" : "far" };
        }

        await WriteAsync(publisher, items, step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        float[] query = new float[16];
        query[0] = 1;
        (string Id, double Score)[] expected =
        [
            .. _truth
                .Where(static item => item.Value.Category == "far")
                .Select(item => (item.Key, Score(query, item.Value, 4, [])))
                .OrderByDescending(static item => item.Item2)
                .Take(count),
        ];

        var best = new Neighbour[count];
        Assert.Equal(expected.Length, index.Current.Search(query, Options(4, Must("category:far")), best));
        Check(expected, best);
    }

    [Fact]
    public async Task Ids_CommonValuesAndRange_AreThoseOfAPlainLoop()
    {
        await PublishAsync(await OpenAsync(), Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        IndexView view = index.Current;
        for (int round = 0; round < 20; round++)
        {
            ItemFilter filter = FilteredItem.SomeFilter(_random);
            Assert.Equal(
                _truth.Where(item => item.Value.Passes(filter)).Select(static item => item.Key).Order(StringComparer.Ordinal),
                view.Ids(_random.NextDouble(), filter).Order(StringComparer.Ordinal)
            );
        }

        var tags = _truth.Values.SelectMany(static item => item.Tags).CountBy(static tag => tag).ToDictionary(StringComparer.Ordinal);
        IReadOnlyList<AttributeValue> common = view.CommonValues("tags", 10);
        Assert.Equal(tags.Values.OrderDescending().Take(10), common.Select(static value => value.Items));
        Assert.All(common, value => Assert.Equal(tags[value.Text], value.Items));
        Assert.Equal(
            _truth
                .Values.Where(static item => item.Available is not null)
                .CountBy(static item => item.Available!.Value)
                .Select(static count => count.Value)
                .Order(),
            view.CommonValues("available", 10).Select(static value => value.Items).Order()
        );
        Assert.Equal(
            (_truth.Values.Min(static item => item.Price)!.Value, _truth.Values.Max(static item => item.Price)!.Value),
            view.RangeOf("price")
        );
        Assert.Null(view.RangeOf("tags"));
        Assert.Empty(view.CommonValues("price", 10));
        Assert.Throws<ItemFilterException>(() => view.CommonValues("colour", 10));
    }

    [Fact]
    public async Task Client_ListsPopularAndLatestItemsThatPassAFilter()
    {
        await PublishAsync(await OpenAsync(), Enumerable.Range(0, Items), step: 1);
        var options = new StreamingServingOptions
        {
            Model = _options.Model,
            Partitions = _options.Partitions,
            Widths = ServingFixture.Widths,
        };
        using StreamingClient client = new(redis.Database, options, TimeProvider.System);
        Assert.True(Assert.Throws<StreamingServingException>(() => client.Latest()).IsTransient);
        await client.Updater!.RefreshAsync(Stop);
        IndexView view = client.Index!.Current;
        ItemFilter filter = FilteredItem.SomeFilter(_random);
        var best = new Neighbour[7];

        Assert.Equal(best[..view.Popular(filter, best)], client.Popular(7, filter));
        Assert.Equal(best[..view.PopularOfLate(filter, best)], client.Popular(7, filter, recent: true));
        Assert.Equal(best[..view.Latest(filter, best)], client.Latest(7, filter));
        Assert.Equal(20, client.Latest().Count);
        Assert.Throws<ItemFilterException>(() => client.Popular(7, new ItemFilter { Must = [ItemCondition.Parse("colour:red")] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.Popular(0));
    }

    [Fact]
    public async Task RefreshAsync_AttributesChangedBetweenTwoSteps_AreFilteredBy()
    {
        EmbeddingPublisher publisher = await OpenAsync();
        await PublishAsync(publisher, Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        for (int round = 0; round < 3; round++)
        {
            // Records only: the vectors stay, and so does the step.
            foreach (int i in Enumerable.Range(100, 300))
            {
                _truth[$"item{i}"] = FilteredItem.Some(_random, _truth[$"item{i}"].Vector);
            }

            await WriteAsync(publisher, Enumerable.Range(100, 300), step: 1);
            Assert.Equal(300, await index.RefreshAsync(Stop));
            AssertExact(index.Current, rounds: 20);
        }

        await WriteAsync(publisher, Enumerable.Range(100, 300), step: 1);
        Assert.Equal(0, await index.RefreshAsync(Stop)); // nothing of them has changed
    }

    [Fact]
    public async Task RefreshAsync_ItemsChangedAddedAndRemoved_AreFilteredAsTheyAreNow()
    {
        EmbeddingPublisher publisher = await OpenAsync();
        await PublishAsync(publisher, Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        for (int round = 0; round < 5; round++)
        {
            int[] removed = [.. Enumerable.Range(0, 200).Select(_ => _random.Next(Items)).Distinct().Where(i => _truth.Remove($"item{i}"))];
            await publisher.PublishAsync([.. removed.Select(i => ServingFixture.Item(i, round + 2, null))], [], Stop);
            await PublishAsync(publisher, Enumerable.Range(Items + (100 * round), 150).Concat(removed.Take(50)), step: round + 2);
            await index.RefreshAsync(Stop);

            Assert.Equal(_truth.Count, index.Count);
            AssertExact(index.Current, rounds: 20);
        }
    }

    [Fact]
    public async Task Search_WhileItemsChange_FindsNoneThatDoesNotPass()
    {
        EmbeddingPublisher publisher = await OpenAsync();
        await PublishAsync(publisher, Enumerable.Range(0, 2000), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        ItemFilter even = new() { Must = [ItemCondition.Parse("category:even")] };
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        // Every item is one of an even number with the category, or one of an odd number without; each takes the row of the other.
        var searching = Task.Run(
            () =>
            {
                var best = new Neighbour[20];
                while (!done.IsCancellationRequested)
                {
                    int found = index.Current.Search(
                        new float[16]
                            .Select(_ => 1f)
                            .ToArray(),
                        Options(16, even),
                        best
                    );
                    Assert.All(best.Take(found), item => Assert.Equal(0, int.Parse(item.Id[4..]) % 2));
                }
            },
            Stop
        );
        for (int round = 0; round < 20; round++)
        {
            await publisher.PublishAsync([.. Enumerable.Range(0, 2000).Select(i => Change(i, i % 2 == round % 2, round + 2))], [], Stop);
            await index.RefreshAsync(Stop);
        }

        await done.CancelAsync();
        await searching;

        Refresh Change(int i, bool isThere, long step) =>
            ServingFixture.Item(i, step, isThere ? ServingFixture.Vector(_random) : null) with
            {
                Facts = new(i % 2 == 0 ? """{"category":"even"}""" : """{"category":"odd"}""", 0, 0),
            };
    }

    [Fact]
    public async Task Search_TwoGenerations_EachHasItsOwnFieldsAndValues()
    {
        await PublishAsync(await OpenAsync(), Enumerable.Range(0, 500), step: 1);
        EmbeddingPublisher next = await OpenAsync(2, [new("category", AttributeKind.Number), new("brand", AttributeKind.Text)]);
        await next.PublishAsync(
            [
                .. Enumerable
                    .Range(0, 500)
                    .Select(i =>
                        ServingFixture.Item(i, 1, ServingFixture.Vector(_random)) with
                        {
                            Facts = new($$"""{"category":{{i}},"brand":"b{{i % 5}}"}""", 0, 0),
                        }
                    ),
            ],
            [],
            Stop
        );
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        IndexView first = index.Current;
        await redis.Database.StringSetAsync(new RedisKeys(_options.Model, 8).Active, 2);
        await index.RefreshAsync(Stop);
        IndexView second = index.Current;

        AssertExact(first, rounds: 20);
        Assert.Equal((1u, 2u), (first.Generation, second.Generation));
        var best = new Neighbour[500];
        Assert.Equal(11, second.Search(new float[16], Options(16, Must("category:10..20")), best));
        Assert.Equal(100, second.Search(new float[16], Options(16, Must("brand:b3")), best));
        Assert.Throws<ItemFilterException>(() => first.Search(new float[16], Options(16, Must("brand:b3")), best));
        Assert.Throws<ItemFilterException>(() => second.Search(new float[16], Options(16, Must("tags:t1")), best));
    }

    [Fact]
    public async Task RefreshAsync_OtherAttributesInTheRecord_LoadsThem()
    {
        EmbeddingPublisher publisher = await OpenAsync(1, []);
        await PublishAsync(publisher, Enumerable.Range(0, 300), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        Assert.Empty(index.Current.Attributes);

        await RecordAsync(1, FilteredItem.Fields);
        await index.RefreshAsync(Stop);
        AssertExact(index.Current, rounds: 20);
    }

    [Fact]
    public async Task LoadAsync_FactsThatCannotBeRead_AreCountedAndTheItemHasNoAttributes()
    {
        await PublishAsync(await OpenAsync(), Enumerable.Range(0, 100), step: 1);
        RedisKeys keys = new(_options.Model, 8);
        await redis.Database.StringSetAsync(keys.Facts(1, RedisKeys.Hash("item5")), "not facts");
        _truth["item5"] = _truth["item5"] with { Category = null, Tags = [], Price = null, Available = null };
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);

        Assert.Equal((100, 1L), (index.Count, index.RefusedFor(EmbeddingFault.Foreign)));
        AssertExact(index.Current, rounds: 20);
    }

    [Fact]
    public async Task PopularAndLatest_Filter_AreThePassingItemsInOrder()
    {
        EmbeddingPublisher publisher = await OpenAsync();
        await PublishAsync(publisher, Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = redis.Index(_options);
        await index.LoadAsync(Stop);
        ItemFilter filter = Must("price:20..60");
        (string Id, FilteredItem Item)[] passing =
        [
            .. _truth.Where(item => item.Value.Passes(filter)).Select(item => (item.Key, item.Value)),
        ];
        var best = new Neighbour[50];

        Assert.Equal(50, index.Current.Popular(filter, best));
        Assert.Equal(
            passing.Select(item => Events(item.Id)).OrderDescending().Take(50).Select(static events => (float)events),
            best.Select(static item => item.Score)
        );
        Assert.All(best, item => Assert.Equal(Events(item.Id), index.Current.EventsOf(RedisKeys.Hash(item.Id))));

        Assert.Equal(50, index.Current.Latest(filter, best));
        Assert.Equal(
            passing.OrderByDescending(item => Since(item.Id)).Take(50).Select(static item => item.Id),
            best.Select(static item => item.Id)
        );
        Assert.Equal(0, index.Current.Popular(Must("category:none"), best));
    }

    private static long Events(string id) => (long)(RedisKeys.Hash(id) % 97);

    private static long Since(string id) => 1_690_000_000_000 + (long.Parse(id[4..]) * 977 % 6007 * 100_000);

    private static ItemFilter Must(string condition) => new() { Must = [ItemCondition.Parse(condition)] };

    private static SearchOptions Options(int width, ItemFilter? filter, ItemBoost[]? boosts = null, int shortlist = 0) =>
        new()
        {
            Width = width,
            Cosine = true,
            Filter = filter,
            Boosts = boosts,
            Shortlist = shortlist,
            Narrow = shortlist > 0 ? 4 : 0,
        };

    private void AssertExact(IndexView view, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            ItemFilter filter = FilteredItem.SomeFilter(_random);
            ItemBoost[] boosts =
            [
                .. Enumerable.Range(0, _random.Next(3)).Select(_ => new ItemBoost(FilteredItem.SomeCondition(_random), 1.5f)),
            ];
            int width = ServingFixture.Widths[_random.Next(3)];
            float[] query = ServingFixture.Vector(_random);
            (string Id, double Score)[] expected =
            [
                .. _truth
                    .Where(item => item.Value.Passes(filter))
                    .Select(item => (item.Key, Score(query, item.Value, width, boosts)))
                    .OrderByDescending(static item => item.Item2)
                    .Take(10),
            ];
            var best = new Neighbour[10];
            Assert.Equal(expected.Length, view.Search(query, Options(width, filter, boosts), best));
            Check(expected, best);
            Assert.Equal(expected.Length, view.Search(query, Options(width, filter, boosts, shortlist: Items * 2), best));
            Check(expected, best);
        }
    }

    private static void Check((string Id, double Score)[] expected, Neighbour[] best)
    {
        Assert.Equal(expected.Select(static item => item.Id), best.Take(expected.Length).Select(static found => found.Id));
        Assert.All(expected.Zip(best), static pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
    }

    private static double Score(float[] query, FilteredItem item, int width, ItemBoost[] boosts)
    {
        double dot = 0,
            square = 1e-12;
        for (int i = 0; i < width; i++)
        {
            dot += query[i] * (double)item.Vector[i];
            square += item.Vector[i] * (double)item.Vector[i];
        }

        double score = dot / Math.Sqrt(square);
        foreach (ItemBoost boost in boosts.Where(boost => item.Meets(boost.Condition)))
        {
            score = score < 0 ? score / boost.Factor : score * boost.Factor;
        }

        return score;
    }

    private async Task<EmbeddingPublisher> OpenAsync(uint generation = 1, AttributeDefinition[]? fields = null)
    {
        EmbeddingPublisher publisher = new(redis.Database, _options, ServingFixture.Widths, TimeProvider.System) { PublishesFacts = true };
        await publisher.OpenAsync(generation, 1, Stop);
        await RecordAsync(generation, fields ?? FilteredItem.Fields);
        return publisher;
    }

    private Task RecordAsync(uint generation, AttributeDefinition[] fields) =>
        new GenerationPublisher(redis.Database, _options, TimeProvider.System).PublishAsync(
            new GenerationRecord
            {
                Generation = generation,
                Token = 1,
                Step = 1,
                Widths = ServingFixture.Widths,
                Attributes = [.. fields.Select(static field => field.ToString())],
            },
            [],
            Stop
        );

    private Task PublishAsync(EmbeddingPublisher publisher, IEnumerable<int> items, long step)
    {
        int[] some = [.. items];
        foreach (int i in some)
        {
            _truth[$"item{i}"] = FilteredItem.Some(_random, ServingFixture.Vector(_random));
        }

        return WriteAsync(publisher, some, step);
    }

    private async Task WriteAsync(EmbeddingPublisher publisher, IEnumerable<int> items, long step)
    {
        List<Refresh> batch =
        [
            .. items.Select(i =>
                ServingFixture.Item(i, step, _truth[$"item{i}"].Vector) with
                {
                    Facts = new(_truth[$"item{i}"].Json, Events($"item{i}"), Since($"item{i}")),
                }
            ),
        ];
        Assert.Equal(batch.Count, (await publisher.PublishAsync(batch, [], Stop)).Written);
    }
}
