using Streaming.Models.Layers;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class GatedFfnTests
{
    private static readonly int[] Widths = [4, 12];

    [Theory]
    [InlineData(0f)]
    [InlineData(0.4f)]
    public void Backward_EveryGradient_IsThatOfDifferences(float rate)
    {
        const int rows = 3,
            d = 12;
        var set = new ParameterSet();
        var widths = new Increments(Widths);
        var ffn = new GatedFfn(set, "x", widths, new Dropout(widths, [rate, rate], 1, 0));
        Gradients.Allocate(set, new Random(1));
        float[] x = Gradients.Values(new Random(2), rows * d),
            weights = Gradients.Values(new Random(3), rows * d);
        float[] gate = new float[rows * d],
            up = new float[rows * d],
            product = new float[rows * d],
            y = new float[rows * d],
            dx = new float[rows * d];
        var lane = new Lane(set.Length, Widths);
        lane.Reserve(rows * d);
        Loss();

        ffn.Backward(x, gate, up, product, weights, dx, rows, 0, 7, lane);

        Gradients.Check("x", x, 0, dx, Loss);
        Gradients.Check(set, lane, Loss);

        double Loss()
        {
            ffn.Prepare();
            ffn.Forward(x, gate, up, product, y, rows, 0, 7);
            return Gradients.Loss(y, weights);
        }
    }
}
