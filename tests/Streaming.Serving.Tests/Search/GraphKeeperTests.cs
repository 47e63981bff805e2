using Streaming.Core.Refreshes;
using Streaming.Serving.Approximate;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;
using Streaming.Serving.Tests.Graphs;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Search;

/// <summary>An index with an approximate search, over a real server.</summary>
public sealed class GraphKeeperTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private const int Items = 1500;
    private static readonly ApproximateOptions Usearch = new() { Create = UsearchGraph.Create, MinItems = 1000 };

    private readonly RedisOptions _options = redis.Options();
    private readonly Random _random = new(11);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LoadAsync_EnoughItems_BuildsAGraphThatAnswers()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, Items), 1);
        using EmbeddingIndex index = Index(Usearch);
        Assert.Equal(new GraphStatus(), index.Graph);
        await index.LoadAsync(Stop);
        await UntilAsync(index, static graph => graph.Builds == 1);
        Find(index, ServingFixture.Vector(_random));

        GraphStatus graph = index.Graph!;
        Assert.Equal((Items, 0, 0, false, 1), (graph.Vectors, graph.Changed, graph.Removed, graph.IsBuilding, graph.Searches));
        Assert.True(graph.LastBuild > TimeSpan.Zero && graph.BuildTime == graph.LastBuild);
        Assert.True(graph.Bytes > 0);
        Assert.Null(graph.Error);
    }

    [Fact]
    public async Task RefreshAsync_ItemsChangedAddedAndRemoved_AreSearchedAtOnce()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await PublishAsync(publisher, Enumerable.Range(0, Items), 1);
        using EmbeddingIndex index = Index(Usearch with { MaxChanged = 1 });
        await index.LoadAsync(Stop);
        await UntilAsync(index, static graph => graph.Builds == 1);
        float[] query = ServingFixture.Vector(_random);
        string gone = Find(index, query)[0].Id;
        await publisher.PublishAsync(
            [
                ServingFixture.Item(7, 2, [.. query.Select(static value => 2 * value)]),
                ServingFixture.Item(Items, 2, query),
                ServingFixture.Item(int.Parse(gone["item".Length..]), 2, null),
            ],
            [],
            Stop
        );
        await index.RefreshAsync(Stop);

        string[] found = [.. Find(index, query).Select(static item => item.Id)];
        Assert.Equal(["item1500", "item7"], found[..2].Order(StringComparer.Ordinal));
        Assert.DoesNotContain(gone, found);
        Assert.Equal((2, 1), (index.Graph!.Changed, index.Graph.Removed));
    }

    [Fact]
    public async Task RefreshAsync_MoreChangedThanAllowed_BuildsAnotherGraph()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await PublishAsync(publisher, Enumerable.Range(0, Items), 1);
        using EmbeddingIndex index = Index(Usearch with { MaxChanged = 0.1 });
        await index.LoadAsync(Stop);
        await UntilAsync(index, static graph => graph.Builds == 1);
        await PublishAsync(publisher, Enumerable.Range(0, 100), 2);
        await index.RefreshAsync(Stop);
        await index.RefreshAsync(Stop);
        Assert.Equal((1, false), (index.Graph!.Builds, index.Graph.IsBuilding));
        await PublishAsync(publisher, Enumerable.Range(100, 100), 3);
        await UntilAsync(index, static graph => graph.Builds == 2);

        Assert.Equal((Items, 0), (index.Graph.Vectors, index.Graph.Changed));
    }

    [Fact]
    public async Task RefreshAsync_OtherGeneration_IsSearchedExactlyUntilItHasAGraph()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, Items), 1);
        using EmbeddingIndex index = Index(Usearch);
        await index.LoadAsync(Stop);
        await UntilAsync(index, static graph => graph.Builds == 1);
        IndexView before = index.Current;
        await PublishAsync(await redis.OpenAsync(_options, generation: 2), Enumerable.Range(500, Items), 1);
        await new GenerationSwitch(redis.Database, _options, ServingFixture.Widths, TimeProvider.System).FlipAsync(1, 2, Stop);
        await index.RefreshAsync(Stop);

        Assert.Equal(2u, index.Generation);
        Assert.Contains(Find(index, ServingFixture.Vector(_random), 200), static item => int.Parse(item.Id["item".Length..]) >= Items);
        await UntilAsync(index, static graph => graph.Builds == 2);
        Assert.Contains(Find(index, ServingFixture.Vector(_random), 200), static item => int.Parse(item.Id["item".Length..]) >= Items);

        // An answer that began with the generation before ends with it.
        var best = new Neighbour[200];
        Assert.Equal(200, before.Search(ServingFixture.Vector(_random), new SearchOptions { Width = 16, Cosine = true }, best));
        Assert.DoesNotContain(best, static item => int.Parse(item.Id["item".Length..]) >= Items);
    }

    [Fact]
    public async Task LoadAsync_FewerItemsThanAGraphIsWorth_BuildsNone()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, 999), 1);
        using EmbeddingIndex index = Index(Usearch);
        await index.LoadAsync(Stop);
        await index.RefreshAsync(Stop);

        Assert.Equal(new GraphStatus(), index.Graph);
        Assert.Equal(20, Find(index, ServingFixture.Vector(_random)).Length);
    }

    [Fact]
    public async Task Build_ThatFails_IsToldAndTriedAgainAfterAMinute()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, Items), 1);
        ShiftedTime time = new();
        bool fails = true;
        ApproximateOptions options = new()
        {
            MinItems = 1,
            Create = shape => fails ? throw new InvalidOperationException("no memory for it") : new FakeGraph(shape),
        };
        using EmbeddingIndex index = Index(options, time);
        using IndexUpdater updater = new(index, TimeSpan.FromSeconds(1), time);
        await index.LoadAsync(Stop);
        await UntilAsync(index, static graph => graph.FailedBuilds == 1);

        Assert.Equal(("no memory for it", 0, false), (updater.Status().Graph!.Error, index.Graph!.Vectors, index.Graph.IsBuilding));
        Assert.Equal(IndexPhase.Fresh, updater.Status().Phase);
        Assert.Equal(20, Find(index, ServingFixture.Vector(_random)).Length);
        fails = false;
        time.Shift(TimeSpan.FromSeconds(59));
        await index.RefreshAsync(Stop);
        Assert.False(index.Graph.IsBuilding);
        time.Shift(TimeSpan.FromSeconds(2));
        await UntilAsync(index, static graph => graph.Builds == 1);
        Assert.Equal((1, Items, null), (index.Graph.FailedBuilds, index.Graph.Vectors, index.Graph.Error));
    }

    [Fact]
    public async Task Dispose_DuringABuild_EndsIt()
    {
        await PublishAsync(await redis.OpenAsync(_options), Enumerable.Range(0, Items), 1);
        using ManualResetEventSlim isAdding = new();
        FakeGraph? made = null;
        EmbeddingIndex index = Index(
            new ApproximateOptions
            {
                MinItems = 1,
                Create = shape =>
                    made = new FakeGraph(shape)
                    {
                        BeforeAdd = _ =>
                        {
                            isAdding.Set();
                            Thread.Sleep(1);
                        },
                    },
            }
        );
        await index.LoadAsync(Stop);
        isAdding.Wait(Stop);
        index.Dispose();

        Assert.True(made!.IsDisposed);
        Assert.Equal(0, made.Misuses);
    }

    [Fact]
    public void Index_OfInnerProducts_RefusesAGraphOfCosines()
    {
        Assert.Contains(
            "Cosine",
            Assert
                .Throws<Core.Options.OptionsException>(() =>
                    new IndexOptions
                    {
                        Widths = [4],
                        Cosine = false,
                        Approximate = Usearch,
                    }.Validate()
                )
                .Message
        );
        Assert.Contains(
            "Approximate.Threads",
            Assert
                .Throws<Core.Options.OptionsException>(() =>
                    new IndexOptions { Widths = [4], Approximate = Usearch with { Threads = 0 } }.Validate()
                )
                .Message
        );
    }

    private static Neighbour[] Find(EmbeddingIndex index, float[] query, int count = 20)
    {
        var best = new Neighbour[count];
        return best[..index.Search(query, 16, best)];
    }

    private static async Task UntilAsync(EmbeddingIndex index, Func<GraphStatus, bool> isTrue)
    {
        while (!isTrue(index.Graph!))
        {
            await index.RefreshAsync(Stop);
            await Task.Delay(10, Stop);
        }
    }

    private EmbeddingIndex Index(ApproximateOptions options, TimeProvider? time = null) =>
        new(
            redis.Database,
            ServingFixture.Serving(_options),
            new IndexOptions { Widths = ServingFixture.Widths, Approximate = options },
            time ?? TimeProvider.System
        );

    private async Task PublishAsync(EmbeddingPublisher publisher, IEnumerable<int> items, long step)
    {
        List<Refresh> batch = [.. items.Select(i => ServingFixture.Item(i, step, ServingFixture.Vector(_random)))];
        Assert.Equal(batch.Count, (await publisher.PublishAsync(batch, [], Stop)).Written);
    }

    /// <summary>The system's time and more.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        private long _shift;

        public void Shift(TimeSpan by) => Interlocked.Add(ref _shift, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _shift);
    }
}
