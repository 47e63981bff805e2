using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Fused;
using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Fused;

public sealed class FusedJoinTests : IDisposable
{
    private const int Rows = 1500;
    private static readonly ModelOptions Model = new() { Widths = [4, 8, 16], Dropout = [0, 0.25f, 0.6f] };
    private readonly DropoutSource _dropout = new(Model, new Increments(Model.Widths), TestDevice.Device);
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void Forward_RatePerIncrement_DropsThatShareAndScalesTheRest()
    {
        float[] kept = Masks(step: 1, site: 0);

        for (int c = 0; c < Model.Dimension; c++)
        {
            float rate =
                c < 4 ? 0
                : c < 8 ? 0.25f
                : 0.6f;
            float[] column = [.. Enumerable.Range(0, Rows).Select(r => kept[(r * Model.Dimension) + c])];
            Assert.All(column, value => Assert.True(value == 0 || Math.Abs(value - (1 / (1 - rate))) < 1e-6));

            // Five standard deviations of a share of 1,500 draws.
            Assert.Equal(rate, column.Count(value => value == 0) / (double)Rows, 0.065);
        }
    }

    [Fact]
    public void Forward_StepsAndSites_HaveMasksOfTheirOwn()
    {
        float[] masks = Masks(step: 1, site: 0);

        Assert.Equal(masks, Masks(step: 1, site: 0));
        Assert.NotEqual(masks, Masks(step: 2, site: 0));
        Assert.NotEqual(masks, Masks(step: 1, site: 1));
    }

    [Fact]
    public void Forward_OutsideOfAStep_DropsNothing()
    {
        using IDisposable noGrad = no_grad();
        _dropout.Begin(1);
        _dropout.End();

        (Tensor y, _) = Join(site: 0).Forward(null, ones(Rows, Model.Dimension).There());

        Assert.All(y.Numbers<float>(), value => Assert.Equal(1f, value));
    }

    [Fact]
    public void Backward_Branch_HasTheMaskOfTheForwardPass()
    {
        using IDisposable noGrad = no_grad();
        _dropout.Begin(3);
        FusedJoin join = Join(site: 2);
        Tensor input = ones(Rows, Model.Dimension).There();

        (Tensor y, _) = join.Forward(null, input);
        (Tensor residual, Tensor branch) = join.Backward(input);

        Assert.Equal(y.Numbers<float>(), branch.Numbers<float>());
        Assert.Equal(input.Numbers<float>(), residual.Numbers<float>());
    }

    public void Dispose()
    {
        _scope.Dispose();
        _dropout.Dispose();
    }

    private float[] Masks(long step, int site)
    {
        using IDisposable noGrad = no_grad();
        _dropout.Begin(step);
        return Join(site).Forward(null, ones(Rows, Model.Dimension).There()).Y.Numbers<float>();
    }

    private FusedJoin Join(int site) =>
        new(
            new FusedCalls(TowerKernels.Compile(TestKernels.Device(), [.. Model.Widths], bfloat16: false), _dropout, Model.Dimension),
            site,
            norm: null
        );
}
