using Streaming.Kernels.Norms;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Search;
using Xunit;

namespace Streaming.Kernels.Tests.Search;

public class TopKTests
{
    [Theory]
    [InlineData(1, 300, 16, 24, 5)]
    [InlineData(40, 300, 16, 24, 5)]
    [InlineData(33, 64, 7, 7, 10)]
    [InlineData(3, 3, 4, 4, 10)]
    [InlineData(5, 3, 4, 4, 10)]
    [InlineData(4, 1000, 20, 128, 50)]
    public void Search_DotAndCosine_MatchSortingInFloat64(int queries, int items, int width, int stride, int count)
    {
        using Workers workers = new(2);
        foreach (bool restricted in new[] { false, true })
        {
            foreach (bool cosine in new[] { false, true })
            {
                Check(queries, items, width, stride, count, cosine, restricted, workers);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void Search_EqualScores_LowerRowFirst(int queries)
    {
        float[] catalogue = new float[100 * 4];
        for (int i = 0; i < 100; i++)
        {
            catalogue[i * 4] = i % 3;
        }

        float[] vectors = new float[queries * 4];
        for (int i = 0; i < queries; i++)
        {
            vectors[i * 4] = 1;
        }

        int[] rows = new int[queries * 4];
        TopK.Search(
            new TopKProblem
            {
                Queries = vectors,
                QueryStride = 4,
                Catalogue = catalogue,
                CatalogueStride = 4,
                Width = 4,
                Count = 4,
                Rows = rows,
                Scores = new float[queries * 4],
            }
        );
        Assert.All(rows.Chunk(4), best => Assert.Equal([2, 5, 8, 11], best));
    }

    [Fact]
    public void Search_NothingPresent_GivesNoRows()
    {
        int[] rows = new int[12];
        float[] scores = new float[12];
        TopK.Search(
            new TopKProblem
            {
                Queries = new float[16],
                QueryStride = 4,
                Catalogue = new float[40],
                CatalogueStride = 4,
                Width = 4,
                Present = new byte[10],
                Count = 3,
                Rows = rows,
                Scores = scores,
            }
        );
        Assert.All(rows, row => Assert.Equal(-1, row));
        Assert.All(scores, score => Assert.Equal(float.NegativeInfinity, score));
    }

    private static void Check(int queries, int items, int width, int stride, int count, bool cosine, bool restricted, Workers workers)
    {
        float[] catalogue = RandomFloats.Normal(items * stride, 1),
            vectors = RandomFloats.Normal(queries * stride, 2);
        byte[] present = restricted ? [.. Enumerable.Range(0, items).Select(i => (byte)(i % 4 == 1 ? 0 : 1))] : [];
        float[] scales = cosine ? new float[items] : [];
        InverseNorms.Compute(catalogue, stride, width, scales);
        int[] rows = new int[queries * count];
        float[] scores = new float[queries * count];
        TopK.Search(
            new TopKProblem
            {
                Queries = vectors,
                QueryStride = stride,
                Catalogue = catalogue,
                CatalogueStride = stride,
                Width = width,
                Present = present,
                Scales = scales,
                Count = count,
                Rows = rows,
                Scores = scores,
            },
            workers
        );
        for (int query = 0; query < queries; query++)
        {
            int[] expected =
            [
                .. Enumerable
                    .Range(0, items)
                    .Where(item => !restricted || present[item] != 0)
                    .OrderByDescending(item => Score(query, item))
                    .Take(count),
            ];
            int found = expected.Length;
            Assert.Equal(expected, rows[(query * count)..((query * count) + found)]);
            Assert.All(rows[((query * count) + found)..((query + 1) * count)], row => Assert.Equal(-1, row));
            for (int i = 0; i < found; i++)
            {
                Assert.Equal(Score(query, expected[i]), scores[(query * count) + i], 1e-4);
            }
        }

        double Score(int query, int item)
        {
            double dot = 0,
                squares = 0;
            for (int d = 0; d < width; d++)
            {
                dot += (double)vectors[(query * stride) + d] * catalogue[(item * stride) + d];
                squares += (double)catalogue[(item * stride) + d] * catalogue[(item * stride) + d];
            }

            return cosine ? dot / Math.Sqrt(squares) : dot;
        }
    }
}
