using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>
/// The recurrence s_t = λ ⊙ s_{t−1} + b_t over complex channels. On a card a stretch of steps is one product: the states of
/// a channel are its inputs times the triangular matrix of powers λ^{t − t'} (the quadratic form of linear recurrences,
/// Dao and Gu 2024, arXiv 2405.21060), and stretches hand their last state on. A few large kernels in place of several
/// small ones a step.
/// </summary>
internal static class LinearScan
{
    /// <summary>Most steps of a stretch: work and memory of its matrix grow with the square.</summary>
    public const int Stretch = 64;

    /// <summary>All states of sequences that start at zero.</summary>
    /// <param name="inputs">b [S × T × 2D], real parts before imaginary ones.</param>
    /// <param name="decay">−ln |λ| [D], float64, above 0.</param>
    /// <param name="phase">arg λ [D], float64.</param>
    /// <returns>s [S × T × 2D].</returns>
    public static Tensor Run(Tensor inputs, Tensor decay, Tensor phase) =>
        inputs.device.type == DeviceType.CPU ? Sequential(inputs, decay, phase) : Parallel(inputs, decay, phase);

    /// <summary>One step after the other: the least work, for a processor, whose few lanes the sequences fill.</summary>
    public static Tensor Sequential(Tensor inputs, Tensor decay, Tensor phase)
    {
        var radius = decay.neg().exp();
        var (lambdaReal, lambdaImaginary) = (radius.mul(phase.cos()).to_type(inputs.dtype), radius.mul(phase.sin()).to_type(inputs.dtype));
        long d = decay.shape[0];
        Tensor[] parts = inputs.split([d, d], 2), reals = parts[0].unbind(1), imaginaries = parts[1].unbind(1);
        for (int t = 1; t < reals.Length; t++)
        {
            var (pastReal, pastImaginary) = (reals[t - 1], imaginaries[t - 1]);
            reals[t] = reals[t].add(pastReal.mul(lambdaReal)).sub(pastImaginary.mul(lambdaImaginary));
            imaginaries[t] = imaginaries[t].add(pastImaginary.mul(lambdaReal)).add(pastReal.mul(lambdaImaginary));
        }

        return cat([stack(reals, 1), stack(imaginaries, 1)], 2);
    }

    /// <summary>Stretches of at most <see cref="Stretch"/> steps, each all at once.</summary>
    public static Tensor Parallel(Tensor inputs, Tensor decay, Tensor phase)
    {
        long sequences = inputs.shape[0], steps = inputs.shape[1], d = decay.shape[0], length = Math.Min(steps, Stretch);
        var within = Powers(decay, phase, Lags(length, inputs.device), inputs.dtype);
        var onward = steps > length ? Powers(decay, phase, arange(1, length + 1, dtype: ScalarType.Float64, device: inputs.device).unsqueeze(0), inputs.dtype) : default;

        // A channel's inputs are [S × (2 · T)], all real parts before the imaginary ones.
        var channels = inputs.view(sequences, steps, 2, d).permute(3, 0, 2, 1);
        var states = new List<Tensor>();
        for (long start = 0; start < steps; start += length)
        {
            long count = Math.Min(length, steps - start);
            var state = channels.narrow(3, start, count).reshape(d, sequences, 2 * count).bmm(Matrix(within, count, count));
            if (states.Count > 0)
            {
                state = state.add(states[^1].narrow(3, length - 1, 1).reshape(d, sequences, 2).bmm(Matrix(onward, 1, count)));
            }

            states.Add(state.view(d, sequences, 2, count));
        }

        return (states.Count == 1 ? states[0] : cat(states, 3)).permute(1, 3, 2, 0).reshape(sequences, steps, 2 * d);
    }

    // How many steps after t' each t is [T' × T].
    private static Tensor Lags(long steps, Device device)
    {
        var t = arange(steps, dtype: ScalarType.Float64, device: device);
        return t.unsqueeze(0).sub(t.unsqueeze(1));
    }

    // λ^lag [D × T' × T], 0 where the lag is negative. From its polar form in float64: products of powers would multiply the rounding too.
    private static (Tensor Real, Tensor Imaginary) Powers(Tensor decay, Tensor phase, Tensor lags, ScalarType type)
    {
        var reached = lags.clamp_min(0);
        var radius = decay.view(-1, 1, 1).mul(reached).neg().exp().mul(lags.ge(0));
        var angle = phase.view(-1, 1, 1).mul(reached);
        return (radius.mul(angle.cos()).to_type(type), radius.mul(angle.sin()).to_type(type));
    }

    // From (re, im) of the first steps to (re, im) of the last ones [D × 2T' × 2T]: the product with a complex number.
    private static Tensor Matrix((Tensor Real, Tensor Imaginary) powers, long from, long to)
    {
        var real = powers.Real.narrow(1, 0, from).narrow(2, 0, to);
        var imaginary = powers.Imaginary.narrow(1, 0, from).narrow(2, 0, to);
        return cat([cat([real, imaginary], 2), cat([imaginary.neg(), real], 2)], 1);
    }
}
