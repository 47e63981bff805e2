using System.Runtime.CompilerServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Recurrence;

/// <summary>The loops of <see cref="NestedLruScan"/>, at one vector width.</summary>
internal static class NestedLruKernel<T>
    where T : struct, ISimd<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ref float rows, ref float lambda, ref float gamma, LruGroup group)
    {
        for (int channel = 0; channel < group.Length; channel += T.Count)
        {
            nint re = group.Start + channel,
                im = re + group.Length;
            T lRe = T.Load(ref lambda, re),
                lIm = T.Load(ref lambda, im),
                scale = T.Load(ref gamma, re);
            T sRe = T.Create(0),
                sIm = T.Create(0);
            ref float row = ref rows;
            for (int t = 0; t < group.Steps; t++)
            {
                T xRe = scale * T.Load(ref row, re),
                    xIm = scale * T.Load(ref row, im);
                T nextRe = T.NegateMultiplyAdd(lIm, sIm, T.MultiplyAdd(lRe, sRe, xRe));
                T nextIm = T.MultiplyAdd(lIm, sRe, T.MultiplyAdd(lRe, sIm, xIm));
                nextRe.Store(ref row, re);
                nextIm.Store(ref row, im);
                sRe = nextRe;
                sIm = nextIm;
                row = ref Unsafe.Add(ref row, group.RowLength);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(ref LruBackwardJob job, LruGroup group)
    {
        for (int channel = 0; channel < group.Length; channel += T.Count)
        {
            nint re = group.Start + channel,
                im = re + group.Length;
            T lRe = T.Load(in job.Lambda, re),
                lIm = T.Load(in job.Lambda, im),
                scale = T.Load(in job.Gamma, re);
            T aRe = T.Load(ref job.LambdaSums, re),
                aIm = T.Load(ref job.LambdaSums, im);
            T bRe = T.Load(ref job.StateSums, re),
                bIm = T.Load(ref job.StateSums, im);
            T gRe = T.Create(0),
                gIm = T.Create(0);
            for (int t = group.Steps - 1; t >= 0; t--)
            {
                nint at = (nint)t * group.RowLength;
                T sRe = T.Load(in job.States, at + re),
                    sIm = T.Load(in job.States, at + im);

                // g, accumulated so far, belongs to step t + 1: its contribution to λ's sum needs s_t.
                aRe = T.MultiplyAdd(gIm, sIm, T.MultiplyAdd(gRe, sRe, aRe));
                aIm = T.NegateMultiplyAdd(gRe, sIm, T.MultiplyAdd(gIm, sRe, aIm));
                T dRe = T.MultiplyAdd(lIm, gIm, T.MultiplyAdd(lRe, gRe, T.Load(ref job.Gradients, at + re)));
                T dIm = T.NegateMultiplyAdd(lIm, gRe, T.MultiplyAdd(lRe, gIm, T.Load(ref job.Gradients, at + im)));
                bRe = T.MultiplyAdd(dRe, sRe, bRe);
                bIm = T.MultiplyAdd(dIm, sIm, bIm);
                (dRe * scale).Store(ref job.Gradients, at + re);
                (dIm * scale).Store(ref job.Gradients, at + im);
                gRe = dRe;
                gIm = dIm;
            }

            aRe.Store(ref job.LambdaSums, re);
            aIm.Store(ref job.LambdaSums, im);
            bRe.Store(ref job.StateSums, re);
            bIm.Store(ref job.StateSums, im);
        }
    }
}
