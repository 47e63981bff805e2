using Streaming.Serving.Approximate;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;
using Streaming.Serving.Tests.Graphs;
using Xunit;

namespace Streaming.Serving.Tests.Search;

public sealed class TableGraphTests : IDisposable
{
    private const int Items = 2000;
    private readonly ClusteredItems _items = new(Items);

    public void Dispose() => _items.Dispose();

    /// <summary>What changes during a build is not lost, wherever the build is.</summary>
    [Fact]
    public void Build_ItemsChangedAddedAndRemovedMeanwhile_AreFoundAsTheyAreAfterwards()
    {
        float[] query = _items.Near(1);
        TableGraph graph = null!;
        void Change(int row)
        {
            if (row is not (10 or 1000 or Items - 1))
            {
                return;
            }

            _items.Set(row / 2, [.. query.Select(value => value * (1 + row))]); // some were added already, some were not
            _items.Set(Items + row, query);
            _items.Table.Remove(ClusteredItems.Id((row / 3) + 1));
        }

        graph = new TableGraph(_items.Table, new ApproximateOptions { Create = shape => new FakeGraph(shape) { BeforeAdd = Change } });
        _items.Table.Graph = graph;
        graph.Build(new GraphBuild(CancellationToken.None));

        Assert.Equal(_items.Find(query, 50, ClusteredItems.Search with { Exact = true }).Order(), _items.Find(query, 50).Order());
        Assert.Contains(ClusteredItems.Id(5), _items.Find(query, 6));
        Assert.Contains(ClusteredItems.Id(Items + 1000), _items.Find(query, 6));
        Assert.InRange(_items.Recall(50), 1, 1);
        graph.Dispose();
    }

    [Fact]
    public void Build_ThatFails_LeavesTheGraphOfBefore()
    {
        bool fails = false;
        List<FakeGraph> made = [];
        using TableGraph graph = new(
            _items.Table,
            new ApproximateOptions
            {
                Threads = 3,
                Create = shape =>
                {
                    made.Add(
                        new FakeGraph(shape)
                        {
                            BeforeAdd = row =>
                            {
                                if (fails && row == 700)
                                {
                                    throw new InvalidOperationException("no memory");
                                }
                            },
                        }
                    );
                    return made[^1];
                },
            }
        );
        _items.Table.Graph = graph;
        graph.Build(new GraphBuild(CancellationToken.None));
        ItemGraph? before = graph.Current;
        fails = true;

        Assert.Equal(
            "no memory",
            Assert.Throws<InvalidOperationException>(() => graph.Build(new GraphBuild(CancellationToken.None))).Message
        );
        Assert.Same(before, graph.Current);
        Assert.InRange(_items.Recall(5), 1, 1);
        Assert.Equal([false, true], made.Select(static graph => graph.IsDisposed));
    }

    [Fact]
    public void Build_Stopped_EndsAndReleasesItsGraph()
    {
        using CancellationTokenSource stop = new();
        FakeGraph? made = null;
        using TableGraph graph = new(
            _items.Table,
            new ApproximateOptions
            {
                Threads = 2,
                Create = shape =>
                    made = new FakeGraph(shape)
                    {
                        BeforeAdd = row =>
                        {
                            if (row == 100)
                            {
                                stop.Cancel();
                            }
                        },
                    },
            }
        );

        Assert.ThrowsAny<OperationCanceledException>(() => graph.Build(new GraphBuild(stop.Token)));
        Assert.True(made!.IsDisposed);
        Assert.Null(graph.Current);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Search_DuringChangesAndSwaps_FindsWhatIsThereAndNothingElse(bool isReal)
    {
        List<FakeGraph> made = [];
        using TableGraph graph = new(
            _items.Table,
            new ApproximateOptions
            {
                Create = shape =>
                {
                    if (isReal)
                    {
                        return UsearchGraph.Create(shape);
                    }

                    made.Add(new FakeGraph(shape));
                    return made[^1];
                },
            }
        );
        _items.Table.Graph = graph;
        graph.Build(new GraphBuild(CancellationToken.None));
        for (int item = 0; item < Items; item += 10)
        {
            _items.Table.Remove(ClusteredItems.Id(item));
        }

        bool isDone = false;
        float[][] queries = [.. Enumerable.Range(0, 50).Select(_items.Near)];
        Task[] searching =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(searcher =>
                    Task.Run(
                        () =>
                        {
                            for (int i = searcher; !Volatile.Read(ref isDone); i++)
                            {
                                string[] found = _items.Find(queries[i % queries.Length], 20);
                                Assert.Equal(20, found.Length);
                                Assert.All(found, static id => Assert.NotEqual(0, int.Parse(id["item".Length..]) % 10));
                            }
                        },
                        TestContext.Current.CancellationToken
                    )
                ),
        ];
        var building = Task.Run(
            () =>
            {
                for (int i = 0; i < (isReal ? 5 : 20); i++)
                {
                    graph.Build(new GraphBuild(CancellationToken.None));
                }
            },
            TestContext.Current.CancellationToken
        );
        Random random = new(1);
        while (!building.IsCompleted)
        {
            int item = random.Next(Items / 10) * 10 + 1;
            float[] vector = [.. Enumerable.Range(0, ClusteredItems.Width).Select(_ => random.NextSingle() - 0.5f)];
            _items.Set(item, vector);
            Assert.Equal(ClusteredItems.Id(item), _items.Find(vector, 1)[0]);
        }

        await building;
        isDone = true;
        await Task.WhenAll(searching);
        Assert.Equal(0, made.Sum(static graph => graph.Misuses));
        Assert.All(made.SkipLast(1), static graph => Assert.True(graph.IsDisposed));
        Assert.InRange(_items.Recall(50), 0.97, 1);
    }
}
