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
    public void Parallel_AnyLength_StatesAndGradientsOfSequential(int steps)
    {
        using var scope = NewDisposeScope();
        using var generator = random.manual_seed(steps);
        var direction = randn(3, steps, 5);
        Tensor[] values = [randn(3, steps, 5), randn(3, steps, 5), rand(5, dtype: ScalarType.Float64).mul_(0.2).add_(0.01), rand(5, dtype: ScalarType.Float64).mul_(6)];

        var expected = Run(LinearScan.Sequential, values, direction);
        var actual = Run(LinearScan.Parallel, values, direction);

        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(actual[i].allclose(expected[i], 1e-4, 1e-4), $"tensor {i} differs by up to {actual[i].sub(expected[i]).abs().max().item<double>()}");
        }
    }

    // States, then gradients by both inputs, decay and phase; all as float64.
    private static Tensor[] Run(Func<Tensor, Tensor, Tensor, Tensor, (Tensor Real, Tensor Imaginary)> scan, Tensor[] values, Tensor direction)
    {
        Tensor[] leaves = [.. values.Select(value => value.clone().requires_grad_())];
        var (real, imaginary) = scan(leaves[0], leaves[1], leaves[2], leaves[3]);
        real.mul(direction).add(imaginary.mul(direction).mul(0.5)).sum().backward();
        return [.. new[] { real.detach(), imaginary.detach() }.Concat(leaves.Select(leaf => leaf.grad ?? zeros_like(leaf))).Select(tensor => tensor.to_type(ScalarType.Float64))];
    }
}
