using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Softmax;

/// <summary>
/// 32 candidates against all rows: the gradients of the candidates. The normalisers are known, so probabilities are summed
/// over the widths first and each increment is multiplied once.
/// </summary>
internal static class ColumnPanel<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;
    private const int TileRows = PanelLayout.TileRows;

    public static void Run(ref SoftmaxJob job, int panel, SoftmaxScratch scratch)
    {
        int first = panel * Lanes,
            columns = Math.Min(Lanes, job.Problem.GradientCandidates - first),
            dimension = job.Dimension;
        PanelLayout.Transpose(job.Problem.Candidates.Slice(first * dimension, columns * dimension), dimension, job.LogScale, scratch.Panel);
        SetLanes(ref job, scratch, first, columns);
        bool hits = SetClassLanes(ref job, scratch, first, columns, set: true);
        scratch.Moments.Clear();
        scratch.Sums[..(dimension * Lanes)].Clear();
        for (int tile = 0; tile < job.Rows; tile += TileRows)
        {
            int count = Math.Min(TileRows, job.Rows - tile);
            Score(ref job, scratch, tile, count);
            if (hits)
            {
                MaskHits(ref job, scratch, first, tile, count);
            }

            AccumulateTile(ref job, scratch, first, tile, count);
        }

        SetClassLanes(ref job, scratch, first, columns, set: false);
        for (int lane = 0; lane < columns; lane++)
        {
            WriteGradient(ref job, scratch, first + lane, lane);
        }
    }

    private static void SetLanes(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int columns)
    {
        scratch.LaneBias.Fill(PanelLayout.Masked);
        scratch.LaneScales.Clear();
        for (int lane = 0; lane < columns; lane++)
        {
            scratch.LaneBias[lane] = job.Bias(first + lane);
            for (int k = 0; job.Problem.Cosine && k < job.Widths.Length; k++)
            {
                scratch.LaneScales[k * Lanes + lane] = job.CandidateScales[k * job.Candidates + first + lane];
            }
        }
    }

    private static bool SetClassLanes(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int columns, bool set)
    {
        bool any = false;
        for (int lane = 0; job.Hits.HasAny && lane < columns; lane++)
        {
            int number = job.Hits.CandidateClasses[first + lane];
            if (number != HitIndex.None)
            {
                scratch.ClassLanes[number] = set ? scratch.ClassLanes[number] | (1u << lane) : 0;
                any = true;
            }
        }

        return any;
    }

    private static void Score(ref SoftmaxJob job, SoftmaxScratch scratch, int tile, int count)
    {
        LogitTile logits = new()
        {
            Stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Users), (nint)tile * job.Dimension),
            Stride = job.Dimension,
            Panel = ref MemoryMarshal.GetReference(scratch.Panel),
            StreamBias = ref MemoryMarshal.GetReference(scratch.Zeros),
            LaneBias = ref MemoryMarshal.GetReference(job.Problem.Cosine ? scratch.Zeros : scratch.LaneBias),
            Widths = ref MemoryMarshal.GetReference(job.Widths),
            WidthCount = job.Widths.Length,
            Output = ref MemoryMarshal.GetReference(scratch.Tile),
            WidthStride = TileRows * Lanes,
        };
        PanelLogits<T>.Compute(in logits, count);
    }

    private static void MaskHits(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int tile, int count)
    {
        for (int i = 0; i < count; i++)
        {
            for (uint lanes = scratch.ClassLanes[job.Hits.RowClasses[tile + i]]; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                if (!job.MasksPositive && job.Problem.PositiveColumn[tile + i] == first + lane)
                {
                    continue;
                }

                for (int k = 0; k < job.Widths.Length; k++)
                {
                    scratch.Tile[(k * TileRows + i) * Lanes + lane] = PanelLayout.Masked;
                }
            }
        }
    }

    private static void AccumulateTile(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int tile, int count)
    {
        ref float stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Users), (nint)tile * job.Dimension);
        ref float outer = ref Unsafe.NullRef<float>();
        ReadOnlySpan<int> positives = FindPositives(ref job, scratch, first, tile, count);
        for (int k = job.Widths.Length - 1; k >= 0; k--)
        {
            ref float scores = ref scratch.Tile[k * TileRows * Lanes];
            ref float normalisers = ref job.RowNormalisers[k * job.Rows + tile];
            if (job.Problem.Cosine)
            {
                PanelSoftmax<T>.CosineProbabilities(
                    ref scores,
                    ref outer,
                    count,
                    ref normalisers,
                    ref job.UserScales[k * job.Rows + tile],
                    ref scratch.LaneScales[k * Lanes],
                    ref scratch.LaneBias[0],
                    ref scratch.Moments[k * Lanes]
                );
            }
            else
            {
                PanelSoftmax<T>.Probabilities(ref scores, ref outer, count, ref normalisers);
            }

            SubtractPositives(ref job, scratch, first, tile, k, positives);
            PanelGradient<T>.Accumulate(
                ref stream,
                job.Dimension,
                ref scores,
                ref scratch.Sums[0],
                count,
                k == 0 ? 0 : job.Widths[k - 1],
                job.Widths[k]
            );
            outer = ref scores;
        }
    }

    /// <summary>Rows of the tile whose positive is a lane of this panel.</summary>
    private static ReadOnlySpan<int> FindPositives(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int tile, int count)
    {
        int found = 0;
        for (int i = 0; i < count; i++)
        {
            if ((uint)(job.Problem.PositiveColumn[tile + i] - first) < Lanes)
            {
                scratch.Positives[found++] = i;
            }
        }

        return scratch.Positives.AsSpan(0, found);
    }

    private static void SubtractPositives(
        ref SoftmaxJob job,
        SoftmaxScratch scratch,
        int first,
        int tile,
        int k,
        scoped ReadOnlySpan<int> positives
    )
    {
        foreach (int i in positives)
        {
            int lane = job.Problem.PositiveColumn[tile + i] - first,
                at = k * job.Rows + tile + i;
            float coefficient = job.RowCoefficients[at];
            if (job.Problem.Cosine)
            {
                scratch.Moments[k * Lanes + lane] -= coefficient * job.PositiveScores[at];
                coefficient *= job.UserScales[at] * scratch.LaneScales[k * Lanes + lane];
            }

            scratch.Tile[(k * TileRows + i) * Lanes + lane] -= coefficient;
        }
    }

    private static void WriteGradient(ref SoftmaxJob job, SoftmaxScratch scratch, int column, int lane)
    {
        int dimension = job.Dimension,
            end = dimension;
        ReadOnlySpan<float> candidate = job.Problem.Candidates.Slice(column * dimension, dimension);
        Span<float> gradient = job.Problem.CandidateGradients.Slice(column * dimension, dimension);
        float radial = 0;
        for (int k = job.Widths.Length - 1; k >= 0; k--)
        {
            int begin = k == 0 ? 0 : job.Widths[k - 1];
            if (job.Problem.Cosine)
            {
                float scale = scratch.LaneScales[k * Lanes + lane];
                radial += scale * scale * scratch.Moments[k * Lanes + lane] / job.LogScale;
            }

            for (int d = begin; d < end; d++)
            {
                gradient[d] = scratch.Sums[d * Lanes + lane] - radial * candidate[d];
            }

            end = begin;
        }
    }
}
