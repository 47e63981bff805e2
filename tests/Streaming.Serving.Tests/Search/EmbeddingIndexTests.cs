using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Search;

public sealed class EmbeddingIndexTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private const int Items = 3000;

    private readonly RedisOptions _options = redis.Options();
    private readonly Random _random = new(11);
    private readonly Dictionary<string, float[]> _truth = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(4, false)]
    [InlineData(16, false)]
    [InlineData(8, true)]
    [InlineData(16, true)]
    public async Task Search_LoadedCatalogue_FindsWhatAPlainLoopFinds(int width, bool cosine)
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = Index(_options, cosine);
        await index.LoadAsync(Stop);

        Assert.Equal(Items, index.Count);
        AssertExact(index, width, cosine);
    }

    [Fact]
    public async Task Funnel_ShortlistOfEverything_EqualsTheWideSearch()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = Index(_options, cosine: true);
        await index.LoadAsync(Stop);
        float[] query = ServingFixture.Vector(_random);
        Neighbour[] wide = new Neighbour[20],
            funnel = new Neighbour[20];

        Assert.Equal(20, index.Search(query, 16, wide));
        Assert.Equal(20, index.Funnel(query, 4, Items, 16, funnel));
        Assert.Equal(wide.Select(found => found.Id), funnel.Select(found => found.Id));
        Assert.Equal(20, index.Funnel(query, 4, 100, 16, funnel));
        Assert.Equal(funnel.OrderByDescending(found => found.Score), funnel);
        var narrow = new Neighbour[100];
        index.Search(query, 4, narrow);
        Assert.All(funnel, found => Assert.Contains(narrow, item => item.Id == found.Id));
    }

    [Fact]
    public async Task RefreshAsync_ItemsChangedAddedAndRemoved_FollowsThem()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await PublishAsync(publisher, Enumerable.Range(0, Items), step: 1);
        using EmbeddingIndex index = Index(_options, cosine: true);
        await index.LoadAsync(Stop);
        AssertExact(index, 8, cosine: true);
        await PublishAsync(publisher, Enumerable.Range(Items - 50, 100), step: 2);
        await publisher.PublishAsync([.. Enumerable.Range(0, 30).Select(i => ServingFixture.Item(i, 3, null))], [], Stop);
        for (int i = 0; i < 30; i++)
        {
            _truth.Remove($"item{i}");
        }

        Assert.Equal(130, await index.RefreshAsync(Stop));
        Assert.Equal(Items + 50 - 30, index.Count);
        AssertExact(index, 8, cosine: true);
        Assert.Equal(0, await index.RefreshAsync(Stop));
    }

    [Fact]
    public async Task RefreshAsync_OtherGenerationActive_LoadsThatOne()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, 100), step: 1);
        using EmbeddingIndex index = Index(_options, cosine: false);
        await index.LoadAsync(Stop);
        _truth.Clear();
        await PublishAsync(await redis.OpenAsync(_options, generation: 2), Enumerable.Range(50, 100), step: 1);
        await index.RefreshAsync(Stop);
        Assert.Equal(1u, index.Generation);
        Assert.Equal(100, index.Count);
        await new GenerationSwitch(redis.Database, _options, ServingFixture.Widths, TimeProvider.System).FlipAsync(1, 2, Stop);
        await index.RefreshAsync(Stop);

        Assert.Equal(2u, index.Generation);
        AssertExact(index, 16, cosine: false);
    }

    [Fact]
    public async Task LoadAsync_KeyPerWidth_LoadsTheWidthAskedFor()
    {
        RedisOptions options = _options with { Layout = EmbeddingKeyLayout.PerWidth };
        await PublishAsync(await redis.OpenAsync(options), Enumerable.Range(0, 100), step: 1);
        using EmbeddingIndex index = new(
            redis.Database,
            ServingFixture.Serving(options),
            new IndexOptions
            {
                Widths = ServingFixture.Widths,
                MaxWidth = 8,
                Cosine = false,
            },
            TimeProvider.System
        );
        await index.LoadAsync(Stop);

        AssertExact(index, 8, cosine: false);
    }

    [Fact]
    public async Task LoadAsync_ForeignValueAmongThem_IsCountedAndLeftOut()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, 100), step: 1);
        await redis.Database.StringSetAsync(new RedisKeys(_options.Model, 8).Items(1).Key("item5"), "junk");
        using EmbeddingIndex index = Index(_options, cosine: false);
        await index.LoadAsync(Stop);

        Assert.Equal((99, 1L), (index.Count, index.Refused));
    }

    [Fact]
    public void Search_EmptyIndex_FindsNothing()
    {
        using EmbeddingIndex index = Index(_options, cosine: true);
        Assert.Equal(0, index.Search(new float[16], 8, new Neighbour[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Search(new float[16], 17, new Neighbour[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Search(new float[16], 0, new Neighbour[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Funnel(new float[16], 4, 2, 8, new Neighbour[3]));
    }

    private EmbeddingIndex Index(RedisOptions options, bool cosine) => redis.Index(options, cosine);

    private void AssertExact(EmbeddingIndex index, int width, bool cosine)
    {
        Assert.Equal(_truth.Count, index.Count);
        for (int round = 0; round < 5; round++)
        {
            float[] query = ServingFixture.Vector(_random);
            var best = new Neighbour[10];
            Assert.Equal(10, index.Search(query, width, best));
            (string Id, double Score)[] expected =
            [
                .. _truth
                    .Select(item => (item.Key, Score(query, item.Value, width, cosine)))
                    .OrderByDescending(item => item.Item2)
                    .Take(10),
            ];
            Assert.Equal(expected.Select(item => item.Id), best.Select(found => found.Id));
            Assert.All(expected.Zip(best), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
        }
    }

    private static double Score(float[] query, float[] item, int width, bool cosine)
    {
        double dot = 0,
            square = 0;
        for (int i = 0; i < width; i++)
        {
            dot += (double)query[i] * item[i];
            square += (double)item[i] * item[i];
        }

        return cosine ? dot / Math.Sqrt(square) : dot;
    }

    private async Task PublishAsync(EmbeddingPublisher publisher, IEnumerable<int> items, long step)
    {
        List<Refresh> batch = [];
        foreach (int i in items)
        {
            float[] vector = ServingFixture.Vector(_random);
            _truth[$"item{i}"] = vector;
            batch.Add(ServingFixture.Item(i, step, vector));
        }

        Assert.Equal(batch.Count, (await publisher.PublishAsync(batch, [], Stop)).Written);
    }
}
