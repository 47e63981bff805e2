using Streaming.Kernels.Embeddings;
using Streaming.Kernels.Parallel;
using Xunit;

namespace Streaming.Kernels.Tests.Embeddings;

public class EmbeddingRowsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(64)]
    public void GatherAndScatterAdd_RepeatedAndNegativeRows_MatchPlainLoops(int dimension)
    {
        using Workers workers = new(2);
        Random random = new(3);
        float[] table = RandomFloats.Normal(50 * dimension, 1),
            values = RandomFloats.Normal(1000 * dimension, 2),
            output = new float[1000 * dimension];
        int[] rows = [.. Enumerable.Range(0, 1000).Select(_ => random.Next(51) - 1)];
        EmbeddingRows.Gather(table, dimension, rows, output, workers);
        float[] expected = [.. table],
            alone = [.. table],
            together = [.. table];
        for (int i = 0; i < rows.Length; i++)
        {
            for (int d = 0; d < dimension; d++)
            {
                Assert.Equal(rows[i] < 0 ? 0f : table[(rows[i] * dimension) + d], output[(i * dimension) + d]);
                if (rows[i] >= 0)
                {
                    expected[(rows[i] * dimension) + d] += values[(i * dimension) + d];
                }
            }
        }

        EmbeddingRows.ScatterAdd(values, dimension, rows, alone);
        EmbeddingRows.ScatterAdd(values, dimension, rows, together, workers);
        Assert.Equal(expected, alone);
        Assert.Equal(expected, together);
    }

    [Fact]
    public void Gather_RowBeyondTheTable_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => EmbeddingRows.Gather(new float[8], 4, [2], new float[4]));
}
