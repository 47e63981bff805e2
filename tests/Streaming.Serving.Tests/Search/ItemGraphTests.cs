using Streaming.Serving.Approximate;
using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;
using Streaming.Serving.Tests.Graphs;
using Xunit;

namespace Streaming.Serving.Tests.Search;

/// <summary>Searches by a graph of USearch, against the exact search of the same items.</summary>
public sealed class ItemGraphTests : IDisposable
{
    private const int Items = 6000;
    private readonly ClusteredItems _items = new(Items);
    private readonly TableGraph _graph;

    public ItemGraphTests()
    {
        _graph = new TableGraph(_items.Table, new ApproximateOptions { Create = UsearchGraph.Create, Threads = 2 });
        _items.Table.Graph = _graph;
        _graph.Build(new GraphBuild(CancellationToken.None));
    }

    public void Dispose()
    {
        _graph.Dispose();
        _items.Dispose();
    }

    [Fact]
    public void Search_ClusteredItems_FindsNearlyAllOfTheExactResult()
    {
        Assert.Equal(Items, _graph.Current!.Vectors);
        var best = new Neighbour[20];
        _items.View.Search(_items.Near(7), ClusteredItems.Search, best);
        Assert.Equal(best.OrderByDescending(static item => item.Score), best);
        Assert.InRange(_items.Recall(99), 0.98, 1);
        Assert.Equal((100, 0), (_graph.Answered, _graph.Exact));
        Assert.InRange(_graph.Current.Bytes / Items, 2 * ClusteredItems.Width, 4096);
    }

    [Fact]
    public void Set_VectorsMovedFar_AreFoundAtOnce()
    {
        float[] query = _items.Near(0);
        for (int item = 0; item < 30; item++)
        {
            _items.Set(10 * item, [.. query.Select(value => value * (1 + (0.001f * item)))]);
        }

        Assert.InRange(_graph.Current!.Changed, 25, 30); // some were near already
        Assert.Equal(
            Enumerable.Range(0, 30).Select(static item => ClusteredItems.Id(10 * item)).Order(StringComparer.Ordinal),
            _items.Find(query, 30).Order(StringComparer.Ordinal)
        );
        Assert.InRange(_items.Recall(100), 0.98, 1);
    }

    [Fact]
    public void Set_VectorsMovedLittle_StayInTheGraphAndAreRankedAsTheyAreNow()
    {
        float[] vector = new float[ClusteredItems.Width];
        for (int item = 0; item < Items; item++)
        {
            Assert.True(_items.Table.TryRead(item, vector, out string id));
            _items.Set(int.Parse(id["item".Length..]), [.. vector.Select((value, i) => value * (i % 2 == 0 ? 1.02f : 0.98f))]);
        }

        Assert.Equal(0, _graph.Current!.Changed);
        Assert.InRange(_items.Recall(100), 0.97, 1);
    }

    [Fact]
    public void Set_VectorThatComesBack_IsTheGraphsAgain()
    {
        float[] vector = new float[ClusteredItems.Width];
        _items.Table.TryRead(17, vector, out string id);
        int item = int.Parse(id["item".Length..]);
        _items.Set(item, [.. vector.Select(static value => -value)]);
        Assert.Equal(1, _graph.Current!.Changed);
        _items.Set(item, vector);

        Assert.Equal(0, _graph.Current.Changed);
        Assert.Equal(id, _items.Find(vector, 1)[0]);
    }

    [Fact]
    public void Set_NewItems_AreFoundAtOnce()
    {
        float[] query = _items.Near(3);
        _items.Set(Items + 1, query);

        Assert.Equal(ClusteredItems.Id(Items + 1), _items.Find(query, 20)[0]);
        Assert.Equal(1, _graph.Current!.Changed);
    }

    [Fact]
    public void Remove_BestItemsOfAQuery_NeverAppearAndTheNextOnesFollow()
    {
        float[] query = _items.Near(5);
        string[] before = _items.Find(query, 40, ClusteredItems.Search with { Exact = true });
        Array.ForEach(before[..20], _items.Table.Remove);

        Assert.Equal(before[20..], _items.Find(query, 20));
        Assert.Equal(20, _graph.Current!.Removed);

        // Their rows get other items.
        float[] other = _items.Near(1);
        _items.Set(Items + 1, other);
        Assert.Equal(ClusteredItems.Id(Items + 1), _items.Find(other, 1)[0]);
        Assert.DoesNotContain(ClusteredItems.Id(Items + 1), _items.Find(query, 20));
    }

    [Fact]
    public void Search_FilterOfHalfTheItems_IsAnsweredByTheGraphWithAsManyItems()
    {
        SearchOptions search = ClusteredItems.Search with { Filter = Must("half:v1") };

        Assert.InRange(_items.Recall(100, search), 0.98, 1);
        Assert.All(_items.Find(_items.Near(0), 20, search), static id => Assert.Equal(1, int.Parse(id["item".Length..]) / 150 % 2));
        Assert.Equal(101, _graph.Answered);
    }

    [Theory]
    [InlineData("hundredth:v7", 60)]
    [InlineData("cluster:v3", 40)]
    [InlineData("half:none", 0)]
    public void Search_FilterOfFewItems_IsTheExactSearch(string condition, int admitted)
    {
        SearchOptions search = ClusteredItems.Search with { Filter = Must(condition) };
        float[] query = _items.Near(8);

        Assert.Equal(admitted, _items.Find(query, 100, search).Length);
        Assert.Equal(_items.Find(query, 20, search with { Exact = true }), _items.Find(query, 20, search));
        Assert.Equal((0, 2), (_graph.Answered, _graph.Exact));
    }

    /// <summary>Half of all items pass, but none of the cluster that the query is of.</summary>
    [Fact]
    public void Search_FilterAgainstTheCandidates_FindsAsManyAsTheExactSearch()
    {
        float[] query = _items.Near(2);
        string[] near = _items.Find(query, 100, ClusteredItems.Search with { Exact = true });
        SearchOptions search = ClusteredItems.Search with { Filter = new ItemFilter { Not = [ItemCondition.Parse("cluster:v2")] } };

        Assert.InRange(near.Count(static id => int.Parse(id["item".Length..]) % 150 == 2), 30, 40);
        Assert.Equal(_items.Find(query, 20, search with { Exact = true }), _items.Find(query, 20, search));
    }

    [Fact]
    public void Search_MoreItemsThanAGraphGives_FindsAllOfThem()
    {
        Assert.Equal(Items, _items.Find(_items.Near(0), Items + 10).Length);
        Assert.Equal(5000, _items.Find(_items.Near(0), 5000).Length);
        Assert.Equal(1000, _items.Find(_items.Near(0), 1000).Length);
        Assert.Equal((1, 2), (_graph.Answered, _graph.Exact));
    }

    [Fact]
    public void Search_OtherWidthsMeasuresAndBoosts_LookAtEveryItem()
    {
        float[] query = _items.Near(4);
        SearchOptions[] searches =
        [
            ClusteredItems.Search with
            {
                Exact = true,
            },
            ClusteredItems.Search with
            {
                Width = 8,
            },
            ClusteredItems.Search with
            {
                Cosine = false,
            },
            ClusteredItems.Search with
            {
                Shortlist = 100,
            },
            ClusteredItems.Search with
            {
                Boosts = [new(ItemCondition.Parse("half:v1"), 1.5f)],
            },
        ];

        Assert.All(searches, search => Assert.Equal(20, _items.Find(query, 20, search).Length));
        Assert.Equal((0, 0), (_graph.Answered, _graph.Exact));
    }

    [Fact]
    public void SearchDiverse_AtMostTwoOfACluster_GoesDownTheWholeRanking()
    {
        float[] query = _items.Near(4);
        IReadOnlyList<Neighbour> exact = _items.View.SearchDiverse(
            query,
            ClusteredItems.Search with
            {
                Exact = true,
            },
            new ItemDiversity("cluster", 2),
            20
        );
        IReadOnlyList<Neighbour> found = _items.View.SearchDiverse(query, ClusteredItems.Search, new ItemDiversity("cluster", 2), 20);

        Assert.Equal(20, found.Count);
        Assert.InRange(found.Select(static item => item.Id).Intersect(exact.Select(static item => item.Id)).Count(), 18, 20);
    }

    [Fact]
    public void Search_VectorsOfZeros_AreItemsLikeOthers()
    {
        _items.Set(0, new float[ClusteredItems.Width]);

        Assert.Equal(20, _items.Find(new float[ClusteredItems.Width], 20).Length);
        Assert.DoesNotContain(ClusteredItems.Id(0), _items.Find(_items.Near(1), 20));
    }

    private static ItemFilter Must(string condition) => new() { Must = [ItemCondition.Parse(condition)] };
}
