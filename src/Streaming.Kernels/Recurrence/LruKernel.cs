using System.Runtime.CompilerServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Recurrence;

/// <summary>One step of <see cref="LruScan"/> over a range of channels.</summary>
/// <remarks>
/// The methods process whole steps in memory order: each step is read once and written once, so the scan is bound by memory
/// bandwidth. They return the first remaining channel, for a narrower vector.
/// </remarks>
internal static class LruKernel<T>
    where T : struct, ISimd<T>
{
    /// <summary>s = λ ⊙ before + x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Forward(ref float lambda, ref float before, ref float x, ref float state, nint channel, nint channels)
    {
        for (; channel + T.Count <= channels; channel += T.Count)
        {
            T re = T.Load(ref lambda, channel),
                im = T.Load(ref lambda, channels + channel);
            T sRe = T.Load(ref before, channel),
                sIm = T.Load(ref before, channels + channel);
            T nextRe = T.NegateMultiplyAdd(im, sIm, T.MultiplyAdd(re, sRe, T.Load(ref x, channel)));
            T nextIm = T.MultiplyAdd(im, sRe, T.MultiplyAdd(re, sIm, T.Load(ref x, channels + channel)));
            nextRe.Store(ref state, channel);
            nextIm.Store(ref state, channels + channel);
        }

        return channel;
    }

    /// <summary>result = direct + conj(λ) ⊙ g; gradient of λ += g ⊙ conj(before).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Backward(
        ref float lambda,
        ref float g,
        ref float before,
        ref float direct,
        ref float result,
        ref float lambdaGradient,
        nint channel,
        nint channels
    )
    {
        for (; channel + T.Count <= channels; channel += T.Count)
        {
            nint imaginary = channels + channel;
            T gRe = T.Load(ref g, channel),
                gIm = T.Load(ref g, imaginary);
            T sRe = T.Load(ref before, channel),
                sIm = T.Load(ref before, imaginary);
            T dRe = T.MultiplyAdd(gIm, sIm, T.MultiplyAdd(gRe, sRe, T.Load(ref lambdaGradient, channel)));
            T dIm = T.NegateMultiplyAdd(gRe, sIm, T.MultiplyAdd(gIm, sRe, T.Load(ref lambdaGradient, imaginary)));
            dRe.Store(ref lambdaGradient, channel);
            dIm.Store(ref lambdaGradient, imaginary);
            T re = T.Load(ref lambda, channel),
                im = T.Load(ref lambda, imaginary);
            T nextRe = T.MultiplyAdd(im, gIm, T.MultiplyAdd(re, gRe, T.Load(ref direct, channel)));
            T nextIm = T.NegateMultiplyAdd(im, gRe, T.MultiplyAdd(re, gIm, T.Load(ref direct, imaginary)));
            nextRe.Store(ref result, channel);
            nextIm.Store(ref result, imaginary);
        }

        return channel;
    }
}
