using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class ItemProjectionTests
{
    [Fact]
    public void Backward_EveryGradient_IsThatOfDifferences()
    {
        const int rows = 3,
            d = 8,
            features = 5;
        var set = new ParameterSet();
        var projection = new ItemProjection(set, new ModelOptions { Widths = [4, 8], FeatureGroups = [new("a", 2), new("b", 3)] });
        Gradients.Allocate(set, new Random(1));
        float[] x = Gradients.Values(new Random(2), rows * features),
            weights = Gradients.Values(new Random(3), rows * d),
            y = new float[rows * d];
        var lane = new Lane(set.Length, [4, 8]);

        projection.Backward(x, weights, rows, lane);

        Assert.Equal(["items.projection.weight", "items.projection.bias"], set.All.Select(parameter => parameter.Name));
        Gradients.Check(
            set,
            lane,
            () =>
            {
                projection.Forward(x, y, rows);
                return Gradients.Loss(y, weights);
            }
        );
    }

    [Fact]
    public void Forward_ModelWithoutFeatures_GivesZeroAndHasNoParameters()
    {
        var set = new ParameterSet();
        var projection = new ItemProjection(set, new ModelOptions { Widths = [4, 8] });
        set.Allocate();
        float[] y = [.. Enumerable.Repeat(1f, 16)];

        projection.Initialize(1, 1);
        projection.Forward([], y, 2);
        projection.Backward([], y, 2, new Lane(0, [4, 8]));

        Assert.Empty(set.All);
        Assert.All(y, value => Assert.Equal(0, value));
    }
}
