using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.Tests.Devices;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Modules;

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
    public void Run_AnyLength_StatesAndGradientsOfStepByStep(int steps)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = random.manual_seed(steps);
        Tensor[] directions = [randn(5, 3, steps), randn(5, 3, steps)];
        Tensor[] values =
        [
            randn(5, 3, steps),
            randn(5, 3, steps),
            rand(5, dtype: ScalarType.Float64).mul_(0.2).add_(0.01),
            rand(5, dtype: ScalarType.Float64).mul_(6),
        ];

        Tensor[] expected = Results(StepByStep, values, directions);
        Tensor[] actual = Results(LinearScan.Run, values, directions);

        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                actual[i].allclose(expected[i], 1e-4, 1e-4),
                $"tensor {i} differs by up to {actual[i].sub(expected[i]).abs().max().item<double>()}"
            );
        }
    }

    private static (Tensor Real, Tensor Imaginary) StepByStep(Tensor real, Tensor imaginary, Tensor decay, Tensor phase)
    {
        Tensor radius = decay.neg().exp();
        (Tensor Real, Tensor Imaginary) lambda = (
            Real: radius.mul(phase.cos()).to_type(real.dtype).unsqueeze(1),
            Imaginary: radius.mul(phase.sin()).to_type(real.dtype).unsqueeze(1)
        );
        Tensor[] reals = real.unbind(2),
            imaginaries = imaginary.unbind(2);
        for (int t = 1; t < reals.Length; t++)
        {
            (Tensor? pastReal, Tensor? pastImaginary) = (reals[t - 1], imaginaries[t - 1]);
            reals[t] = reals[t].add(pastReal.mul(lambda.Real)).sub(pastImaginary.mul(lambda.Imaginary));
            imaginaries[t] = imaginaries[t].add(pastImaginary.mul(lambda.Real)).add(pastReal.mul(lambda.Imaginary));
        }

        return (stack(reals, 2), stack(imaginaries, 2));
    }

    // States, then gradients by inputs, decay and phase; all as float64.
    private static Tensor[] Results(
        Func<Tensor, Tensor, Tensor, Tensor, (Tensor Real, Tensor Imaginary)> scan,
        Tensor[] values,
        Tensor[] directions
    )
    {
        Tensor[] leaves = [.. values.Select(value => value.There().clone().requires_grad_())];
        (Tensor? real, Tensor? imaginary) = scan(leaves[0], leaves[1], leaves[2], leaves[3]);
        real.mul(directions[0].There()).add(imaginary.mul(directions[1].There())).sum().backward();
        return
        [
            .. new[] { real.detach(), imaginary.detach() }
                .Concat(leaves.Select(leaf => leaf.grad ?? zeros_like(leaf)))
                .Select(tensor => tensor.to_type(ScalarType.Float64)),
        ];
    }
}
