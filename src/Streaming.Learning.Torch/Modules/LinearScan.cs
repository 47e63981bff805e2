using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>
/// The recurrence s_t = λ ⊙ s_{t−1} + b_t. On a card all steps at once: after round r each step holds the sum of the last 2^r
/// inputs, so ⌈log₂ T⌉ rounds give all states (Hillis and Steele 1986; Blelloch 1990 for linear recurrences).
/// </summary>
internal static class LinearScan
{
    /// <summary>All states of sequences that start at zero.</summary>
    /// <param name="real">Re b [S × T × D].</param>
    /// <param name="imaginary">Im b [S × T × D].</param>
    /// <param name="decay">−ln |λ| [D], float64, above 0.</param>
    /// <param name="phase">arg λ [D], float64.</param>
    /// <returns>Re s and Im s [S × T × D].</returns>
    public static (Tensor Real, Tensor Imaginary) Run(Tensor real, Tensor imaginary, Tensor decay, Tensor phase) =>
        real.device.type == DeviceType.CPU ? Sequential(real, imaginary, decay, phase) : Parallel(real, imaginary, decay, phase);

    /// <summary>One step after the other: the least work, for a processor, whose few lanes the sequences fill.</summary>
    public static (Tensor Real, Tensor Imaginary) Sequential(Tensor real, Tensor imaginary, Tensor decay, Tensor phase)
    {
        var radius = decay.neg().exp();
        var (lambdaReal, lambdaImaginary) = (radius.mul(phase.cos()).to_type(real.dtype), radius.mul(phase.sin()).to_type(real.dtype));
        Tensor[] reals = real.unbind(1), imaginaries = imaginary.unbind(1);
        for (int t = 1; t < reals.Length; t++)
        {
            var (pastReal, pastImaginary) = (reals[t - 1], imaginaries[t - 1]);
            reals[t] = reals[t].add(pastReal.mul(lambdaReal)).sub(pastImaginary.mul(lambdaImaginary));
            imaginaries[t] = imaginaries[t].add(pastImaginary.mul(lambdaReal)).add(pastReal.mul(lambdaImaginary));
        }

        return (stack(reals, 1), stack(imaginaries, 1));
    }

    /// <summary>All steps at once, in ⌈log₂ T⌉ rounds.</summary>
    public static (Tensor Real, Tensor Imaginary) Parallel(Tensor real, Tensor imaginary, Tensor decay, Tensor phase)
    {
        long steps = real.shape[1];
        for (long reach = 1; reach < steps; reach *= 2)
        {
            (real, imaginary) = Double(real, imaginary, decay, phase, reach, steps);
        }

        return (real, imaginary);
    }

    private static (Tensor Real, Tensor Imaginary) Double(Tensor real, Tensor imaginary, Tensor decay, Tensor phase, long reach, long steps)
    {
        using var scope = NewDisposeScope();

        // λ^reach from its polar form in float64: squaring it round after round would double the rounding too.
        var radius = decay.mul(-reach).exp();
        var angle = phase.mul(reach);
        var powerReal = radius.mul(angle.cos()).to_type(real.dtype);
        var powerImaginary = radius.mul(angle.sin()).to_type(real.dtype);
        var (pastReal, pastImaginary) = (real.narrow(1, 0, steps - reach), imaginary.narrow(1, 0, steps - reach));
        var tailReal = real.narrow(1, reach, steps - reach).add(pastReal.mul(powerReal)).sub(pastImaginary.mul(powerImaginary));
        var tailImaginary = imaginary.narrow(1, reach, steps - reach).add(pastImaginary.mul(powerReal)).add(pastReal.mul(powerImaginary));
        var nextReal = cat([real.narrow(1, 0, reach), tailReal], 1);
        var nextImaginary = cat([imaginary.narrow(1, 0, reach), tailImaginary], 1);
        return (nextReal.MoveToOuterDisposeScope(), nextImaginary.MoveToOuterDisposeScope());
    }
}
