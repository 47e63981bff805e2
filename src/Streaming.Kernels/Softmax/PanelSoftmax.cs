using System.Runtime.CompilerServices;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Softmax;

/// <summary>The exponentials between scores and gradients, on tiles [rows × 32] of one width.</summary>
/// <remarks>Scores are binary logarithms: log₂e/τ is folded into the panel, so an exponential is a single polynomial.</remarks>
internal static class PanelSoftmax<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;

    /// <summary>E = 2^(S − reference[lane]); sums[lane] += Σ E. E may overwrite S.</summary>
    /// <remarks>Sums are formed per tile and then added, which limits the rounding error of long sums.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Exponentials(ref float scores, ref float output, int count, ref float references, ref float sums)
    {
        nint second = T.Count;
        for (nint lane = 0; lane < Lanes; lane += 2 * T.Count)
        {
            T r0 = T.Load(ref references, lane),
                r1 = T.Load(ref references, lane + second);
            T z0 = T.Create(0f),
                z1 = z0;
            ref float s = ref Unsafe.Add(ref scores, lane),
                e = ref Unsafe.Add(ref output, lane);
            for (nint at = 0, end = (nint)count * Lanes; at < end; at += Lanes)
            {
                T e0 = T.Exp2(T.Load(ref s, at) - r0),
                    e1 = T.Exp2(T.Load(ref s, at + second) - r1);
                e0.Store(ref e, at);
                e1.Store(ref e, at + second);
                z0 += e0;
                z1 += e1;
            }

            (T.Load(ref sums, lane) + z0).Store(ref sums, lane);
            (T.Load(ref sums, lane + second) + z1).Store(ref sums, lane + second);
        }
    }

    /// <summary>
    /// The same for cosines. With x = S · laneScale[lane] · streamScale[j] and E = 2^(x + streamBias[j] − reference[lane]):
    /// output ← E · streamScale[j]; sums += Σ E; moments += Σ E·x. The output may overwrite S.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void CosineExponentials(
        ref float scores,
        ref float output,
        int count,
        ref float references,
        ref float sums,
        ref float moments,
        ref float laneScales,
        ref float streamScales,
        ref float streamBias
    )
    {
        nint second = T.Count;
        for (nint lane = 0; lane < Lanes; lane += 2 * T.Count)
        {
            T r0 = T.Load(ref references, lane),
                r1 = T.Load(ref references, lane + second);
            T a0 = T.Load(ref laneScales, lane),
                a1 = T.Load(ref laneScales, lane + second);
            T z0 = T.Create(0f),
                z1 = z0,
                m0 = z0,
                m1 = z0;
            ref float s = ref Unsafe.Add(ref scores, lane),
                e = ref Unsafe.Add(ref output, lane);
            for (nint j = 0, at = 0; j < count; j++, at += Lanes)
            {
                T scale = T.Create(Unsafe.Add(ref streamScales, j)),
                    bias = T.Create(Unsafe.Add(ref streamBias, j));
                T x0 = T.Load(ref s, at) * (a0 * scale),
                    x1 = T.Load(ref s, at + second) * (a1 * scale);
                T e0 = T.Exp2(x0 + (bias - r0)),
                    e1 = T.Exp2(x1 + (bias - r1));
                (e0 * scale).Store(ref e, at);
                (e1 * scale).Store(ref e, at + second);
                z0 += e0;
                z1 += e1;
                m0 = T.MultiplyAdd(e0, x0, m0);
                m1 = T.MultiplyAdd(e1, x1, m1);
            }

            (T.Load(ref sums, lane) + z0).Store(ref sums, lane);
            (T.Load(ref sums, lane + second) + z1).Store(ref sums, lane + second);
            (T.Load(ref moments, lane) + m0).Store(ref moments, lane);
            (T.Load(ref moments, lane + second) + m1).Store(ref moments, lane + second);
        }
    }

    /// <summary>S ← 2^(S − normaliser[j]) + outer: known normalisers, and the sum over this width and the wider ones.</summary>
    /// <param name="scores">Scores of this width [count × 32].</param>
    /// <param name="outer">Result of the next wider width, or null for the widest.</param>
    /// <param name="count">Streamed vectors.</param>
    /// <param name="normalisers">Binary logarithm of each streamed row's sum over its coefficient.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Probabilities(ref float scores, ref float outer, int count, ref float normalisers)
    {
        bool widest = Unsafe.IsNullRef(ref outer);
        for (nint j = 0, at = 0; j < count; j++)
        {
            T normaliser = T.Create(Unsafe.Add(ref normalisers, j));
            for (nint end = at + Lanes; at < end; at += T.Count)
            {
                T p = T.Exp2(T.Load(ref scores, at) - normaliser);
                if (!widest)
                {
                    p += T.Load(ref outer, at);
                }

                p.Store(ref scores, at);
            }
        }
    }

    /// <summary>
    /// The same for cosines. With x = S · laneScale[lane] · streamScale[j] and P = 2^(x + laneBias[lane] − normaliser[j]):
    /// S ← P · laneScale[lane] · streamScale[j] + outer; moments += Σ P·x.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void CosineProbabilities(
        ref float scores,
        ref float outer,
        int count,
        ref float normalisers,
        ref float streamScales,
        ref float laneScales,
        ref float laneBias,
        ref float moments
    )
    {
        bool widest = Unsafe.IsNullRef(ref outer);
        for (nint lane = 0; lane < Lanes; lane += T.Count)
        {
            T scale = T.Load(ref laneScales, lane),
                bias = T.Load(ref laneBias, lane),
                moment = T.Load(ref moments, lane);
            for (nint j = 0, at = lane; j < count; j++, at += Lanes)
            {
                T both = scale * T.Create(Unsafe.Add(ref streamScales, j));
                T x = T.Load(ref scores, at) * both;
                T p = T.Exp2(x + (bias - T.Create(Unsafe.Add(ref normalisers, j))));
                moment = T.MultiplyAdd(p, x, moment);
                p *= both;
                if (!widest)
                {
                    p += T.Load(ref outer, at);
                }

                p.Store(ref scores, at);
            }

            moment.Store(ref moments, lane);
        }
    }

    /// <summary>output[k][j][lane] = Σ_{i ≥ k} factors[i][lane] · E[i][j][lane]: the weights of the coordinates of increment k.</summary>
    /// <param name="exponentials">E [widths × 64 × 32].</param>
    /// <param name="output">Out: [widths × 64 × 32].</param>
    /// <param name="widths">Number of widths.</param>
    /// <param name="count">Streamed vectors, up to 64.</param>
    /// <param name="factors">[widths × 32].</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void SumOverWiderWidths(ref float exponentials, ref float output, int widths, int count, ref float factors)
    {
        const nint Block = PanelLayout.TileRows * Lanes;
        for (nint lane = 0; lane < Lanes; lane += T.Count)
        {
            for (nint at = lane, end = (nint)count * Lanes; at < end; at += Lanes)
            {
                T sum = T.Create(0f);
                for (nint k = widths - 1; k >= 0; k--)
                {
                    sum = T.MultiplyAdd(T.Load(ref factors, k * Lanes + lane), T.Load(ref exponentials, k * Block + at), sum);
                    sum.Store(ref output, k * Block + at);
                }
            }
        }
    }

    /// <summary>output[d][lane] = (d &lt; <paramref name="written"/> ? output[d][lane] : 0)
    /// + Σ_{k: w_k &gt; d} coefficients[k][lane] · sums_k[d][lane].</summary>
    /// <param name="sums">Weighted sums of each width, [w_1 × 32], [w_2 × 32], …, concatenated.</param>
    /// <param name="coefficients">[K × 32].</param>
    /// <param name="widths">Nested widths.</param>
    /// <param name="written">Number of leading coordinates to add to; the others are overwritten.</param>
    /// <param name="output">In and out: [D × 32].</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Combine(ref float sums, ref float coefficients, ReadOnlySpan<int> widths, int written, ref float output)
    {
        for (int k = 0; k < widths.Length; k++)
        {
            for (nint lane = 0; lane < Lanes; lane += T.Count)
            {
                T coefficient = T.Load(ref coefficients, k * Lanes + lane);
                for (nint d = lane, end = (nint)widths[k] * Lanes; d < end; d += Lanes)
                {
                    T before = d < (nint)written * Lanes ? T.Load(ref output, d) : T.Create(0f);
                    T.MultiplyAdd(coefficient, T.Load(ref sums, d), before).Store(ref output, d);
                }
            }

            sums = ref Unsafe.Add(ref sums, (nint)widths[k] * Lanes);
            written = Math.Max(written, widths[k]);
        }
    }
}
