using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Softmax;

/// <summary>32 rows against all candidates: losses, normalisers and user gradients of every width.</summary>
/// <remarks>
/// The positive's score replaces a running maximum as reference of the exponentials, so nothing is rescaled. A competitor more
/// than about 69 nats above it overflows; this is detected at the end, and the panel is recomputed with the true maximum. A
/// width's normaliser is known only at the end: until then either its vectors are summed separately, or its exponentials are
/// kept (<see cref="KeptExponentials"/>).
/// </remarks>
internal static class RowPanel<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;
    private const int TileRows = PanelLayout.TileRows;

    // Above this a sum of exponentials, or its product with a vector, may have overflowed.
    private const float Overflow = 1e30f;

    // Reference of a lane without a row: its exponentials are 0.
    private const float NoRow = 1e30f;

    public static void Run(ref SoftmaxJob job, int panel, SoftmaxScratch scratch)
    {
        int first = panel * Lanes,
            rows = Math.Min(Lanes, job.Rows - first),
            dimension = job.Dimension;
        PanelLayout.Transpose(job.Problem.Users.Slice(first * dimension, rows * dimension), dimension, job.LogScale, scratch.Panel);
        SetReferences(ref job, scratch, first, rows);
        SetClassLanes(ref job, scratch, first, rows, set: true);
        Accumulate(ref job, scratch, first);
        if (Overflowed(job.Widths.Length, scratch, rows))
        {
            RaiseReferences(ref job, scratch, first);
            Accumulate(ref job, scratch, first);
        }

        SetClassLanes(ref job, scratch, first, rows, set: false);
        Normalise(ref job, scratch, panel, rows);
        WriteGradients(ref job, scratch, first, rows);
    }

    private static void SetReferences(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int rows)
    {
        scratch.References.Fill(NoRow);
        scratch.LaneScales.Clear();
        for (int lane = 0; lane < rows; lane++)
        {
            int row = first + lane,
                positive = job.Problem.PositiveColumn[row],
                d = 0;
            ReadOnlySpan<float> candidate = job.Problem.Candidates.Slice(positive * job.Dimension, job.Dimension);
            float bias = job.MasksPositive ? 0f : job.Bias(positive);
            float dot = 0;
            for (int k = 0; k < job.Widths.Length; k++)
            {
                for (; d < job.Widths[k]; d++)
                {
                    dot += scratch.Panel[d * Lanes + lane] * candidate[d];
                }

                float score = dot;
                if (job.Problem.Cosine)
                {
                    float scale = job.UserScales[k * job.Rows + row];
                    scratch.LaneScales[k * Lanes + lane] = scale;
                    score *= scale * job.CandidateScales[k * job.Candidates + positive];
                }

                job.PositiveScores[k * job.Rows + row] = score;
                scratch.References[k * Lanes + lane] = score + bias;
            }
        }
    }

    private static void SetClassLanes(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int rows, bool set)
    {
        for (int lane = 0; job.Hits.HasAny && lane < rows; lane++)
        {
            ref uint lanes = ref scratch.ClassLanes[job.Hits.RowClasses[first + lane]];
            lanes = set ? lanes | (1u << lane) : 0;
        }
    }

    private static void Accumulate(ref SoftmaxJob job, SoftmaxScratch scratch, int first)
    {
        scratch.Normalisers.Clear();
        scratch.Moments.Clear();
        scratch.Sums.Clear();
        for (int tile = 0; tile < job.Candidates; tile += TileRows)
        {
            int count = Math.Min(TileRows, job.Candidates - tile);
            Score(ref job, scratch, first, tile, count);
            AccumulateTile(ref job, scratch, tile, count);
        }
    }

    /// <summary>Scores a tile of candidates and masks accidental hits.</summary>
    private static void Score(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int tile, int count)
    {
        Span<float> bias = scratch.StreamBias[..count];
        for (int j = 0; j < bias.Length; j++)
        {
            bias[j] = job.Bias(tile + j);
        }

        LogitTile logits = new()
        {
            Stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Candidates), (nint)tile * job.Dimension),
            Stride = job.Dimension,
            Panel = ref MemoryMarshal.GetReference(scratch.Panel),
            StreamBias = ref MemoryMarshal.GetReference(job.Problem.Cosine ? scratch.Zeros : scratch.StreamBias),
            LaneBias = ref MemoryMarshal.GetReference(scratch.Zeros),
            Widths = ref MemoryMarshal.GetReference(job.Widths),
            WidthCount = job.Widths.Length,
            Output = ref MemoryMarshal.GetReference(scratch.Tile),
            WidthStride = TileRows * Lanes,
        };
        PanelLogits<T>.Compute(in logits, count);
        if (job.Hits.HasAny)
        {
            MaskHits(ref job, scratch, first, tile, job.Hits.CandidateClasses.Slice(tile, count));
        }
    }

    private static void MaskHits(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int tile, ReadOnlySpan<int> classes)
    {
        for (int j = classes.IndexOfAnyExcept(HitIndex.None); j < classes.Length && j >= 0; )
        {
            for (uint lanes = scratch.ClassLanes[classes[j]]; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                if (job.MasksPositive || job.Problem.PositiveColumn[first + lane] != tile + j)
                {
                    Mask(scratch, job.Widths.Length, j * Lanes + lane);
                }
            }

            int next = classes[(j + 1)..].IndexOfAnyExcept(HitIndex.None);
            j = next < 0 ? classes.Length : j + 1 + next;
        }
    }

    private static void Mask(SoftmaxScratch scratch, int widths, int at)
    {
        for (int k = 0; k < widths; k++)
        {
            scratch.Tile[k * TileRows * Lanes + at] = PanelLayout.Masked;
        }
    }

    private static void AccumulateTile(ref SoftmaxJob job, SoftmaxScratch scratch, int tile, int count)
    {
        ref float stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Candidates), (nint)tile * job.Dimension);
        ref float sums = ref MemoryMarshal.GetReference(scratch.Sums);
        for (int k = 0; k < job.Widths.Length; k++)
        {
            ref float scores = ref scratch.Tile[k * TileRows * Lanes];
            ref float references = ref scratch.References[k * Lanes];
            ref float normalisers = ref scratch.Normalisers[k * Lanes];
            bool keeps = k >= job.FirstKept;
            ref float exponentials = ref keeps
                ? ref scratch.Kept.Tile(tile / TileRows)[(k - job.FirstKept) * TileRows * Lanes]
                : ref scores;
            if (job.Problem.Cosine)
            {
                PanelSoftmax<T>.CosineExponentials(
                    ref scores,
                    ref exponentials,
                    count,
                    ref references,
                    ref normalisers,
                    ref scratch.Moments[k * Lanes],
                    ref scratch.LaneScales[k * Lanes],
                    ref job.CandidateScales[k * job.Candidates + tile],
                    ref scratch.StreamBias[0]
                );
            }
            else
            {
                PanelSoftmax<T>.Exponentials(ref scores, ref exponentials, count, ref references, ref normalisers);
            }

            if (!keeps)
            {
                PanelGradient<T>.Accumulate(ref stream, job.Dimension, ref scores, ref sums, count, 0, job.Widths[k]);
                sums = ref Unsafe.Add(ref sums, (nint)job.Widths[k] * Lanes);
            }
        }
    }

    private static bool Overflowed(int widths, SoftmaxScratch scratch, int rows)
    {
        for (int k = 0; k < widths; k++)
        {
            foreach (float sum in scratch.Normalisers.Slice(k * Lanes, rows))
            {
                // NaN counts as overflow too.
                if (!(sum < Overflow))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>The rare second pass: references become the true maxima.</summary>
    private static void RaiseReferences(ref SoftmaxJob job, SoftmaxScratch scratch, int first)
    {
        for (int tile = 0; tile < job.Candidates; tile += TileRows)
        {
            int count = Math.Min(TileRows, job.Candidates - tile);
            Score(ref job, scratch, first, tile, count);
            for (int k = 0; k < job.Widths.Length; k++)
            {
                Span<float> references = scratch.References.Slice(k * Lanes, Lanes);
                for (int at = 0; at < count * Lanes; at++)
                {
                    int lane = at % Lanes;
                    float score = scratch.Tile[k * TileRows * Lanes + at];
                    if (job.Problem.Cosine)
                    {
                        score =
                            score * (scratch.LaneScales[k * Lanes + lane] * job.CandidateScales[k * job.Candidates + tile + at / Lanes])
                            + scratch.StreamBias[at / Lanes];
                    }

                    references[lane] = Math.Max(references[lane], score);
                }
            }
        }
    }

    /// <summary>Computes losses, and the per-row factors that the gradients of users and candidates need.</summary>
    private static void Normalise(ref SoftmaxJob job, SoftmaxScratch scratch, int panel, int rows)
    {
        scratch.Coefficients.Clear();
        for (int k = 0; k < job.Widths.Length; k++)
        {
            double total = 0;
            for (int lane = 0; lane < rows; lane++)
            {
                int row = panel * Lanes + lane,
                    at = k * job.Rows + row;
                double sum = scratch.Normalisers[k * Lanes + lane];
                double logSum = scratch.References[k * Lanes + lane] + Math.Log2(sum);
                double rowShare = job.Problem.RowWeights[row] * job.RowShare;
                (double loss, double weight) = RowLoss(ref job, row, logSum - job.PositiveScores[at]);
                float coefficient = (float)(rowShare * job.Problem.WidthWeights[k] * job.WidthShare * weight / job.Problem.Temperature);
                total += rowShare * loss;
                job.RowCoefficients[at] = coefficient;
                job.RowNormalisers[at] = coefficient > 0 ? (float)(logSum - Math.Log2(coefficient)) : NoRow;
                scratch.Coefficients[k * Lanes + lane] = sum == 0 ? 0f : (float)(coefficient / sum);
            }

            job.PanelLosses[panel * job.Widths.Length + k] = total;
        }
    }

    /// <summary>Loss of a row and the weight of its gradient.</summary>
    /// <param name="job">The call.</param>
    /// <param name="row">The row.</param>
    /// <param name="log2Odds">Binary logarithm of the sum over the uncorrected positive.</param>
    private static (double Loss, double Weight) RowLoss(ref SoftmaxJob job, int row, double log2Odds)
    {
        int positive = job.Problem.PositiveColumn[row];
        if (!job.MasksPositive)
        {
            return ((log2Odds - job.Bias(positive)) * SoftmaxJob.Ln2, 1);
        }

        int negatives = job.Candidates - job.Hits.Copies(row);
        if (negatives == 0 || double.IsNegativeInfinity(log2Odds))
        {
            return (0, 0);
        }

        double miss = Math.Max(-Math.Exp(job.Problem.LogQ[positive]) + 1, NestedSoftmax.LeastMissProbability);
        double gap = log2Odds * SoftmaxJob.Ln2 + Math.Log(miss);
        double weight = 1 / (1 + Math.Exp(Math.Log(negatives) - gap));
        return (weight * gap, weight);
    }

    private static void WriteGradients(ref SoftmaxJob job, SoftmaxScratch scratch, int first, int rows)
    {
        for (int i = 0; i < scratch.Factors.Length; i++)
        {
            scratch.Factors[i] = scratch.Coefficients[i] * (job.Problem.Cosine ? scratch.LaneScales[i] : 1f);
        }

        // The panel's vectors are no longer needed: their gradients overwrite them.
        int written = 0;
        if (job.FirstKept < job.Widths.Length)
        {
            AccumulateKept(ref job, scratch);
            written = job.Dimension;
        }

        PanelSoftmax<T>.Combine(
            ref MemoryMarshal.GetReference(scratch.Sums),
            ref MemoryMarshal.GetReference(scratch.Factors),
            job.Widths[..job.FirstKept],
            written,
            ref MemoryMarshal.GetReference(scratch.Panel)
        );
        for (int lane = 0; lane < rows; lane++)
        {
            WriteGradient(ref job, scratch, first + lane, lane);
        }
    }

    /// <summary>Panel[d][lane] = Σ over candidates and the widths whose exponentials were kept.</summary>
    private static void AccumulateKept(ref SoftmaxJob job, SoftmaxScratch scratch)
    {
        int first = job.FirstKept;
        scratch.Panel.Clear();
        for (int tile = 0; tile < job.Candidates; tile += TileRows)
        {
            int count = Math.Min(TileRows, job.Candidates - tile);
            ref float stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Candidates), (nint)tile * job.Dimension);
            PanelSoftmax<T>.SumOverWiderWidths(
                ref scratch.Kept.Tile(tile / TileRows)[0],
                ref scratch.Tile[0],
                job.Widths.Length - first,
                count,
                ref scratch.Factors[first * Lanes]
            );
            for (int k = first; k < job.Widths.Length; k++)
            {
                PanelGradient<T>.Accumulate(
                    ref stream,
                    job.Dimension,
                    ref scratch.Tile[(k - first) * TileRows * Lanes],
                    ref scratch.Panel[0],
                    count,
                    k == first ? 0 : job.Widths[k - 1],
                    job.Widths[k]
                );
            }
        }
    }

    private static void WriteGradient(ref SoftmaxJob job, SoftmaxScratch scratch, int row, int lane)
    {
        int dimension = job.Dimension,
            positive = job.Problem.PositiveColumn[row],
            end = dimension;
        ReadOnlySpan<float> user = job.Problem.Users.Slice(row * dimension, dimension);
        ReadOnlySpan<float> candidate = job.Problem.Candidates.Slice(positive * dimension, dimension);
        Span<float> gradient = job.Problem.UserGradients.Slice(row * dimension, dimension);
        float pull = 0,
            radial = 0;
        for (int k = job.Widths.Length - 1; k >= 0; k--)
        {
            // A coordinate contributes to its own width and to every wider one.
            int at = k * job.Rows + row,
                begin = k == 0 ? 0 : job.Widths[k - 1];
            float scale = job.RowCoefficients[at];
            if (job.Problem.Cosine)
            {
                float user1 = scratch.LaneScales[k * Lanes + lane];
                float moment = scratch.Moments[k * Lanes + lane] * scratch.Coefficients[k * Lanes + lane];
                radial += user1 * user1 * (moment - scale * job.PositiveScores[at]) / job.LogScale;
                scale *= user1 * job.CandidateScales[k * job.Candidates + positive];
            }

            pull += scale;
            for (int d = begin; d < end; d++)
            {
                gradient[d] = scratch.Panel[d * Lanes + lane] - pull * candidate[d] - radial * user[d];
            }

            end = begin;
        }
    }
}
