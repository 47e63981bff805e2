using Streaming.Models.Layers;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class MeanPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Forward_EachRow_IsTheMeanUpToIt(int steps)
    {
        float[] x = Gradients.Values(new Random(steps), steps * 3);
        float[] y = new float[x.Length];

        MeanPool.Forward(x, y, steps, 3);

        for (int i = 0; i < y.Length; i++)
        {
            Assert.Equal(Enumerable.Range(0, (i / 3) + 1).Average(t => x[(t * 3) + (i % 3)]), y[i], 1e-6);
        }
    }

    [Fact]
    public void Backward_EveryGradient_IsThatOfDifferences()
    {
        float[] x = Gradients.Values(new Random(1), 21),
            weights = Gradients.Values(new Random(2), 21),
            gradients = [.. weights];
        float[] y = new float[21];

        MeanPool.Backward(gradients, 7, 3);

        Gradients.Check(
            "x",
            x,
            0,
            gradients,
            () =>
            {
                MeanPool.Forward(x, y, 7, 3);
                return Gradients.Loss(y, weights);
            }
        );
    }
}
