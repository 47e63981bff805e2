using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests;

public class LinearScanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(51)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(150)]
    public void Parallel_AnyLength_StatesAndGradientsOfSequential(int steps)
    {
        using var scope = NewDisposeScope();
        using var generator = random.manual_seed(steps);
        var direction = randn(3, steps, 10);
        Tensor[] values = [randn(3, steps, 10), rand(5, dtype: ScalarType.Float64).mul_(0.2).add_(0.01), rand(5, dtype: ScalarType.Float64).mul_(6)];

        var expected = Run(LinearScan.Sequential, values, direction);
        var actual = Run(LinearScan.Parallel, values, direction);

        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(actual[i].allclose(expected[i], 1e-4, 1e-4), $"tensor {i} differs by up to {actual[i].sub(expected[i]).abs().max().item<double>()}");
        }
    }

    // States, then gradients by inputs, decay and phase; all as float64.
    private static Tensor[] Run(Func<Tensor, Tensor, Tensor, Tensor> scan, Tensor[] values, Tensor direction)
    {
        Tensor[] leaves = [.. values.Select(value => value.There().clone().requires_grad_())];
        var states = scan(leaves[0], leaves[1], leaves[2]);
        states.mul(direction.There()).sum().backward();
        return [.. new[] { states.detach() }.Concat(leaves.Select(leaf => leaf.grad ?? zeros_like(leaf))).Select(tensor => tensor.to_type(ScalarType.Float64))];
    }
}
