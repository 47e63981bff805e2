using Streaming.Kernels.Norms;
using Xunit;

namespace Streaming.Kernels.Tests.Norms;

public class ColumnSumsTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(13, 64)]
    [InlineData(51, 128)]
    [InlineData(20, 303)]
    public void Add_AllShapes_IsTheSumRowAfterRow(int rows, int columns)
    {
        float[] values = RandomFloats.Normal(rows * columns, 1),
            sums = RandomFloats.Normal(columns, 2),
            expected = [.. sums];
        for (int i = 0; i < values.Length; i++)
        {
            expected[i % columns] += values[i];
        }

        ColumnSums.Add(values, sums);
        Assert.Equal(expected, sums);
    }

    [Fact]
    public void Add_NoWholeRows_IsNamed() => Assert.Throws<ArgumentException>("values", () => ColumnSums.Add(new float[7], new float[3]));
}
