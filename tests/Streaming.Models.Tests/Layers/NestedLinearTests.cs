using Streaming.Models.Layers;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class NestedLinearTests
{
    public static TheoryData<int[], int[], int> Shapes =>
        new()
        {
            { [4, 8, 16], [4, 8, 16], 3 },
            { [4, 8, 16], [12, 24, 48], 5 },
            { [20, 64], [20, 64], 1 },
            { [40], [40], 33 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_EachOutput_IsThatOfTheBlockTriangularMatrix(int[] inputs, int[] outputs, int rows)
    {
        (ParameterSet? set, NestedLinear? linear, float[]? x) = Create(inputs, outputs, rows);
        float[] y = new float[rows * outputs[^1]];

        linear.Forward(x, y, rows);

        Assert.All(Expected(set, inputs, outputs, x, rows).Zip(y), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Backward_EveryGradient_IsThatOfDifferences(int[] inputs, int[] outputs, int rows)
    {
        (ParameterSet? set, NestedLinear? linear, float[]? x) = Create(inputs, outputs, rows);
        float[] y = new float[rows * outputs[^1]];
        float[] weights = Gradients.Values(new Random(5), y.Length);
        var lane = new Lane(set.Length, inputs);
        float[] dx = new float[x.Length];
        linear.Backward(x, weights, dx, rows, lane);

        Gradients.Check("x", x, 0, dx, Loss);
        Gradients.Check(set, lane, Loss);

        double Loss()
        {
            linear.Prepare();
            linear.Forward(x, y, rows);
            return Gradients.Loss(y, weights);
        }
    }

    [Fact]
    public void Backward_Add_KeepsWhatIsThere()
    {
        (ParameterSet? set, NestedLinear? linear, float[]? x) = Create([4, 8], [4, 8], 2);
        float[] dy = Gradients.Values(new Random(6), 16);
        (float[]? first, float[]? second) = (new float[16], new float[16]);
        linear.Backward(x, dy, first, 2, new Lane(set.Length, [4, 8]));
        second.AsSpan().Fill(3);

        linear.Backward(x, dy, second, 2, new Lane(set.Length, [4, 8]), add: true);

        Assert.All(first.Zip(second), pair => Assert.Equal(pair.First + 3, pair.Second, 1e-5));
    }

    [Fact]
    public void InitializeDiagonal_HalfNegative_FlipsTheLastOutputsOfEachIncrement()
    {
        var set = new ParameterSet();
        var linear = new NestedLinear(set, "x", new Increments([4, 8]), new Increments([4, 8]));
        Gradients.Allocate(set, new Random(1));
        linear.InitializeDiagonal(2, 0.5f);
        linear.Prepare();
        float[] y = new float[8];

        linear.Forward([1, 2, 3, 4, 5, 6, 7, 8], y, 1);

        Assert.Equal([2, 4, -6, -8, 10, 12, -14, -16], y);
    }

    [Fact]
    public void Initialize_Weights_HaveTheDeviationOfTheirInputsAndNoBias()
    {
        var set = new ParameterSet();
        var linear = new NestedLinear(set, "x", new Increments([64, 256]), new Increments([64, 256]));
        Gradients.Allocate(set, new Random(1));

        linear.Initialize(7, 0.5);

        // Truncation at two deviations leaves 0.774 of the variance.
        foreach ((Parameter weight, int inputs) in linear.Weights.ToArray().Zip([64, 256]))
        {
            double variance = set.Value(weight).ToArray().Average(value => value * value);
            Assert.Equal(0.774 * 0.25 / inputs, variance, 0.1 * 0.25 / inputs);
        }

        Assert.All(set.Value(set.All[^1]).ToArray(), value => Assert.Equal(0, value));
    }

    private static (ParameterSet Set, NestedLinear Linear, float[] X) Create(int[] inputs, int[] outputs, int rows)
    {
        var random = new Random(rows);
        var set = new ParameterSet();
        var linear = new NestedLinear(set, "x", new Increments(inputs), new Increments(outputs));
        Gradients.Allocate(set, random);
        linear.Prepare();
        return (set, linear, Gradients.Values(random, rows * inputs[^1]));
    }

    private static double[] Expected(ParameterSet set, int[] inputs, int[] outputs, float[] x, int rows)
    {
        double[] y = new double[rows * outputs[^1]];
        for (int r = 0; r < rows; r++)
        {
            for (int k = 0; k < inputs.Length; k++)
            {
                int start = k == 0 ? 0 : outputs[k - 1],
                    n = outputs[k] - start;
                for (int j = 0; j < n; j++)
                {
                    double sum = set.Value(set.All[^1])[start + j];
                    for (int i = 0; i < inputs[k]; i++)
                    {
                        sum += (double)x[(r * inputs[^1]) + i] * set.Value(set.All[k])[(i * n) + j];
                    }

                    y[(r * outputs[^1]) + start + j] = sum;
                }
            }
        }

        return y;
    }
}
