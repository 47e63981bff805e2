using System.Runtime.InteropServices;
using Streaming.Serving.Approximate;
using Streaming.Serving.Graphs;
using Xunit;

namespace Streaming.Serving.Tests.Graphs;

public class UsearchGraphTests
{
    private const int Width = 24;
    private static readonly GraphShape Shape = new(Width, 500, Threads: 4, Candidates: 64);

    [Fact]
    public void Search_AddedByFourThreads_FindsTheNearestFirst()
    {
        float[][] vectors = Vectors(500);
        using VectorGraph graph = UsearchGraph.Create(Shape);
        Parallel.For(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 4 }, row => graph.Add(row, vectors[row]));
        int[] found = new int[10];

        for (int row = 0; row < 500; row += 25)
        {
            Assert.Equal(10, graph.Search(vectors[row], found));
            Assert.Equal(row, found[0]);
        }

        Assert.True(graph.Bytes > 500 * Width * 2);
    }

    [Fact]
    public void TryRead_AddedAndUnknownVectors_CopiesAsFloat16()
    {
        float[][] vectors = Vectors(2);
        using VectorGraph graph = UsearchGraph.Create(Shape);
        graph.Add(7, vectors[0]);
        float[] read = new float[Width];

        Assert.True(graph.TryRead(7, read));
        Assert.All(vectors[0].Zip(read), static pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        Assert.False(graph.TryRead(8, read));
    }

    [Fact]
    public void Search_FewerVectorsThanAsked_FindsAllOfThem()
    {
        using VectorGraph graph = UsearchGraph.Create(Shape);
        Assert.Equal(0, graph.Search(new float[Width], new int[5]));
        graph.Add(3, Vectors(1)[0]);

        int[] found = new int[5];
        Assert.Equal(1, graph.Search(new float[Width], found));
        Assert.Equal(3, found[0]);
    }

    /// <summary>USearch has room for so many searches at a time, and refuses the others.</summary>
    [Fact]
    public async Task Search_MoreThreadsThanItHasRoomFor_AreAllAnswered()
    {
        float[][] vectors = Vectors(500);
        using VectorGraph graph = UsearchGraph.Create(Shape);
        for (int row = 0; row < 500; row++)
        {
            graph.Add(row, vectors[row]);
        }

        int threads = (4 * Environment.ProcessorCount) + 20;
        using Barrier start = new(threads);
        await Task.WhenAll(
            Enumerable
                .Range(0, threads)
                .Select(row =>
                    Task.Factory.StartNew(
                        () =>
                        {
                            int[] found = new int[10];
                            start.SignalAndWait();
                            for (int i = 0; i < 200; i++)
                            {
                                Assert.Equal(10, graph.Search(vectors[row], found));
                                Assert.Equal(row, found[0]);
                            }
                        },
                        TaskCreationOptions.LongRunning
                    )
                )
        );
    }

    [Fact]
    public void Add_PastTheCapacity_IsRefusedByName()
    {
        float[][] vectors = Vectors(200);
        using VectorGraph graph = UsearchGraph.Create(Shape with { Capacity = 1 });

        UsearchException refused = Assert.Throws<UsearchException>(() =>
        {
            for (int row = 0; row < 200; row++)
            {
                graph.Add(row, vectors[row]);
            }
        });
        Assert.StartsWith("USearch: ", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.Message.Length > "USearch: ".Length + 5, refused.Message);
    }

    [Fact]
    public void Objection_WhereTheLibraryLoads_IsNone() => Assert.Null(UsearchLibrary.Objection());

    [Fact]
    public void Load_LibraryThatIsNotThere_NamesPlatformCauseAndWhatIsPossible()
    {
        string? objection = UsearchLibrary.Load("usearch_of_another_platform");

        Assert.NotNull(objection);
        Assert.Contains($"does not load on {RuntimeInformation.RuntimeIdentifier}", objection, StringComparison.Ordinal);
        Assert.Contains("usearch_of_another_platform", objection, StringComparison.Ordinal);
        Assert.Contains("cannot open shared object file", objection, StringComparison.Ordinal);
        Assert.Contains("linux-x64 with glibc", objection, StringComparison.Ordinal);
        Assert.EndsWith("without it every search is exact.", objection, StringComparison.Ordinal);
    }

    private static float[][] Vectors(int count)
    {
        Random random = new(1);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                {
                    float[] vector = [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle() - 0.5f)];
                    float length = MathF.Sqrt(vector.Sum(static value => value * value));
                    return vector.Select(value => value / length).ToArray();
                }),
        ];
    }
}
