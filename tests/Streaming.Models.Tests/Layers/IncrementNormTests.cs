using Streaming.Models.Layers;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class IncrementNormTests
{
    private static readonly int[] Widths = [4, 8, 20];

    [Fact]
    public void Forward_FreshParameters_GiveEachIncrementMeanZeroAndVarianceOne()
    {
        (ParameterSet _, IncrementNorm? norm, float[]? x) = Create(initialized: true);
        float[] y = new float[x.Length];

        norm.Forward(x, y, 0);

        Assert.All(
            y.Chunk(20),
            row =>
            {
                foreach ((int start, int end) in new[] { (0, 4), (4, 8), (8, 20) })
                {
                    Assert.Equal(0, row[start..end].Average(), 1e-5);
                    Assert.Equal(1, row[start..end].Average(value => value * value), 1e-3);
                }
            }
        );
    }

    [Fact]
    public void ForwardRow_InPlace_IsForwardOfOneRow()
    {
        (ParameterSet _, IncrementNorm? norm, float[]? x) = Create(initialized: false);
        float[] y = new float[x.Length];
        norm.Forward(x, y, 0);
        float[] row = x[20..40];

        norm.ForwardRow(row, row);

        Assert.Equal(y[20..40], row);
    }

    [Fact]
    public void Backward_EveryGradient_IsThatOfDifferences()
    {
        (ParameterSet? set, IncrementNorm? norm, float[]? x) = Create(initialized: false);
        float[] y = new float[x.Length],
            weights = Gradients.Values(new Random(4), x.Length),
            dx = new float[x.Length];
        var lane = new Lane(set.Length, Widths);
        Loss();

        norm.Backward(x, weights, dx, 0, lane, add: false);

        Gradients.Check("x", x, 0, dx, Loss);
        Gradients.Check(set, lane, Loss);

        double Loss()
        {
            norm.Forward(x, y, 0);
            return Gradients.Loss(y, weights);
        }
    }

    private static (ParameterSet Set, IncrementNorm Norm, float[] X) Create(bool initialized)
    {
        var set = new ParameterSet();
        var norm = new IncrementNorm(set, "x", new Increments(Widths));
        Gradients.Allocate(set, new Random(1));
        norm.Reserve(3);
        if (initialized)
        {
            norm.Initialize();
        }

        return (set, norm, Gradients.Values(new Random(2), 60));
    }
}
