using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Modules;

/// <summary>
/// The recurrence s_t = λ ⊙ s_{t−1} + b_t over complex channels, a segment of steps as one product: the states of a channel are its
/// inputs times the triangular matrix of powers λ^{t − t'} (the quadratic form of linear recurrences, Dao and Gu 2024, arXiv
/// 2405.21060), and each segment passes its last state to the next. A few large kernels replace several small ones per step.
/// </summary>
/// <remarks>Channels first, steps last: the surrounding projections read and write this layout directly, so nothing is transposed
/// in memory.</remarks>
internal static class LinearScan
{
    /// <summary>Maximum steps per segment: work and memory of its matrix grow with the square.</summary>
    public const int Stretch = 64;

    /// <summary>All states of sequences that start at zero.</summary>
    /// <param name="real">Re b [D × S × T].</param>
    /// <param name="imaginary">Im b [D × S × T].</param>
    /// <param name="decay">−ln |λ| [D], float64, above 0.</param>
    /// <param name="phase">arg λ [D], float64.</param>
    /// <returns>Re s and Im s [D × S × T].</returns>
    public static (Tensor Real, Tensor Imaginary) Run(Tensor real, Tensor imaginary, Tensor decay, Tensor phase)
    {
        long steps = real.shape[2],
            length = Math.Min(steps, Stretch);
        Tensor t = arange(length, dtype: ScalarType.Float64, device: real.device).unsqueeze(0);
        (Tensor Real, Tensor Imaginary) within = Powers(decay, phase, t.sub(t.t()), real.dtype);
        if (steps == length)
        {
            return Product(real, imaginary, within);
        }

        (Tensor Real, Tensor Imaginary) onward = Powers(decay, phase, t.add(1), real.dtype);
        (List<Tensor>? reals, List<Tensor>? imaginaries) = (new List<Tensor>(), new List<Tensor>());
        for (long start = 0; start < steps; start += length)
        {
            long count = Math.Min(length, steps - start);
            (Tensor Real, Tensor Imaginary) own = Product(
                real.narrow(2, start, count),
                imaginary.narrow(2, start, count),
                Part(within, count, count)
            );
            if (start > 0)
            {
                (Tensor Real, Tensor Imaginary) past = Product(
                    reals[^1].narrow(2, length - 1, 1),
                    imaginaries[^1].narrow(2, length - 1, 1),
                    Part(onward, 1, count)
                );
                own = (own.Real.add(past.Real), own.Imaginary.add(past.Imaginary));
            }

            reals.Add(own.Real);
            imaginaries.Add(own.Imaginary);
        }

        return (cat(reals, 2), cat(imaginaries, 2));
    }

    // λ^lag [D × from × to], 0 where the lag is negative. Computed from the polar form in float64: products of powers would compound
    // the rounding error.
    private static (Tensor Real, Tensor Imaginary) Powers(Tensor decay, Tensor phase, Tensor lags, ScalarType type)
    {
        Tensor reached = lags.clamp_min(0);
        Tensor radius = decay.view(-1, 1, 1).mul(reached).neg().exp().mul(lags.ge(0));
        Tensor angle = phase.view(-1, 1, 1).mul(reached);
        return (radius.mul(angle.cos()).to_type(type), radius.mul(angle.sin()).to_type(type));
    }

    private static (Tensor Real, Tensor Imaginary) Part((Tensor Real, Tensor Imaginary) powers, long from, long to) =>
        (powers.Real.narrow(1, 0, from).narrow(2, 0, to), powers.Imaginary.narrow(1, 0, from).narrow(2, 0, to));

    private static (Tensor Real, Tensor Imaginary) Product(Tensor real, Tensor imaginary, (Tensor Real, Tensor Imaginary) powers) =>
        (real.bmm(powers.Real).sub_(imaginary.bmm(powers.Imaginary)), real.bmm(powers.Imaginary).add_(imaginary.bmm(powers.Real)));
}
