using Streaming.Kernels.Linear;
using Xunit;

namespace Streaming.Kernels.Tests.Linear;

public class NestedProductTests
{
    public static TheoryData<int, int[], int[]> Shapes =>
        new()
        {
            { 1, [1], [1] },
            { 13, [8, 16, 32, 64, 128], [8, 16, 32, 64, 128] },
            { 70, [8, 16, 40], [16, 32, 80] },
            { 66, [16, 32, 80], [8, 16, 40] },
            { 9, [3, 50, 300], [5, 41, 70] },
            { 5, [300], [33] },
            { 0, [4], [4] },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardAndBackward_AllShapes_MatchFloat64(int rows, int[] inputs, int[] outputs)
    {
        double[] matrix = Matrix(inputs, outputs, out NestedProduct product);
        int ins = inputs[^1],
            outs = outputs[^1];
        float[] x = RandomFloats.Normal(rows * ins, 1),
            bias = RandomFloats.Normal(outs, 2),
            y = RandomFloats.Normal(rows * outs, 3);
        product.Forward(x, bias, y, rows);
        Closeness.AssertClose(Reference(x, matrix, rows, ins, outs, transpose: false, (_, column) => bias[column]), y, 2e-6, "with bias");
        product.Forward(x, [], y, rows);
        Closeness.AssertClose(Reference(x, matrix, rows, ins, outs, transpose: false, (_, _) => 0), y, 2e-6, "without bias");

        float[] dy = RandomFloats.Normal(rows * outs, 4),
            dx = RandomFloats.Normal(rows * ins, 5),
            before = [.. dx];
        product.Backward(dy, dx, rows, accumulate: true);
        Closeness.AssertClose(
            Reference(dy, matrix, rows, outs, ins, transpose: true, (row, column) => before[(row * ins) + column]),
            dx,
            2e-6,
            "added"
        );
        product.Backward(dy, dx, rows, accumulate: false);
        Closeness.AssertClose(Reference(dy, matrix, rows, outs, ins, transpose: true, (_, _) => 0), dx, 2e-6, "overwritten");
    }

    [Fact]
    public void Forward_InnerOutputs_AreTheBitsOfTheNarrowMap()
    {
        int[] widths = [8, 24, 100];
        Matrix(widths, widths, out NestedProduct wide);
        Matrix(widths[..2], widths[..2], out NestedProduct narrow);
        float[] x = RandomFloats.Normal(11 * 100, 1),
            inner = new float[11 * 24],
            y = new float[11 * 100],
            yInner = new float[11 * 24];
        for (int row = 0; row < 11; row++)
        {
            x.AsSpan(row * 100, 24).CopyTo(inner.AsSpan(row * 24));
        }

        wide.Forward(x, [], y, 11);
        narrow.Forward(inner, [], yInner, 11);
        for (int row = 0; row < 11; row++)
        {
            Assert.Equal(yInner[(row * 24)..((row + 1) * 24)], y[(row * 100)..((row * 100) + 24)]);
        }
    }

    [Fact]
    public void Forward_AnyRowsAtATime_SameBitsAndNoAllocation()
    {
        int[] widths = [8, 16, 40];
        Matrix(widths, widths, out NestedProduct product);
        float[] x = RandomFloats.Normal(30 * 40, 1),
            together = new float[30 * 40],
            apart = new float[30 * 40];
        product.Forward(x, [], together, 30);
        void Run()
        {
            for (int row = 0; row < 30; row++)
            {
                product.Forward(x.AsSpan(row * 40, 40), [], apart.AsSpan(row * 40, 40), 1);
            }
        }

        Assert.Equal(0, Allocations.OfARun(Run));
        Assert.Equal(together, apart);
    }

    [Fact]
    public void Arguments_OfTheWrongLength_AreNamed()
    {
        NestedProduct product = new([4, 8], [4, 8]);
        Assert.Throws<ArgumentOutOfRangeException>("outputs", () => new NestedProduct([4, 8], [4]));
        Assert.Throws<ArgumentOutOfRangeException>("weights", () => product.Pack(1, new float[31]));
        Assert.Throws<ArgumentOutOfRangeException>("x", () => product.Forward(new float[15], [], new float[16], 2));
        Assert.Throws<ArgumentOutOfRangeException>("bias", () => product.Forward(new float[16], new float[7], new float[16], 2));
        Assert.Throws<ArgumentOutOfRangeException>("y", () => product.Backward(new float[15], new float[16], 2, accumulate: false));
    }

    /// <summary>Random weights: packed, and as the whole matrix [inputs × outputs]. A slice's values depend only on its number.</summary>
    private static double[] Matrix(int[] inputs, int[] outputs, out NestedProduct product)
    {
        product = new NestedProduct(inputs, outputs);
        double[] matrix = new double[inputs[^1] * outputs[^1]];
        for (int k = 0, begin = 0; k < inputs.Length; begin = outputs[k++])
        {
            int columns = outputs[k] - begin;
            float[] weights = RandomFloats.Normal(inputs[k] * columns, 10 + k);
            product.Pack(k, weights);
            for (int i = 0; i < weights.Length; i++)
            {
                matrix[(i / columns * outputs[^1]) + begin + (i % columns)] = weights[i];
            }
        }

        return matrix;
    }

    private static double[] Reference(float[] x, double[] matrix, int rows, int from, int to, bool transpose, Func<int, int, double> start)
    {
        double[] result = new double[rows * to];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < to; column++)
            {
                double sum = start(row, column);
                for (int i = 0; i < from; i++)
                {
                    sum += x[(row * from) + i] * (transpose ? matrix[(column * from) + i] : matrix[(i * to) + column]);
                }

                result[(row * to) + column] = sum;
            }
        }

        return result;
    }
}
