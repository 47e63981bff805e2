using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Search;

/// <summary>32 users against the whole catalogue.</summary>
internal static class RankingPanel<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;
    private const int TileRows = PanelLayout.TileRows;

    public static void Run(ref RankingJob job, int panel, RankingScratch scratch)
    {
        int first = panel * Lanes,
            users = Math.Min(Lanes, job.Problem.Targets.Length - first),
            dimension = job.Dimension;
        PanelLayout.Transpose(job.Problem.Users.Slice(first * dimension, users * dimension), dimension, 1f, scratch.Panel);
        ScoreTargets(ref job, scratch, first, users);
        ReadOnlySpan<long> skipped = FindSkipped(ref job, scratch, first, users, out ReadOnlySpan<long> own);
        SetThresholds(ref job, scratch, first, users);
        Array.Clear(scratch.Above);
        Array.Clear(scratch.Ties);
        for (int tile = 0; tile < job.Items; tile += TileRows)
        {
            int count = Math.Min(TileRows, job.Items - tile);
            SetBias(ref job, scratch, tile, count);
            Score(ref job, scratch, tile, count);
            skipped = Skip(in job, skipped, scratch, first, tile, count, isOffered: false);
            own = Skip(in job, own, scratch, first, tile, count, isOffered: true);
            for (int k = 0; k < job.Widths.Length; k++)
            {
                Count(
                    ref scratch.Tile[k * TileRows * Lanes],
                    ref scratch.Targets[k * Lanes],
                    count,
                    scratch.Above.AsSpan(k * Lanes, Lanes),
                    scratch.Ties.AsSpan(k * Lanes, Lanes)
                );
            }

            Collect(in job, scratch, first, users, tile, count);
        }

        for (int lane = 0; lane < users; lane++)
        {
            for (int k = 0; k < job.Widths.Length; k++)
            {
                int at = (first + lane) * job.Widths.Length + k;
                bool ranked = float.IsFinite(scratch.Targets[k * Lanes + lane]);
                job.Problem.Above[at] = ranked ? scratch.Above[k * Lanes + lane] : int.MaxValue;
                job.Problem.Ties[at] = ranked ? scratch.Ties[k * Lanes + lane] : 0;
            }
        }
    }

    private static void ScoreTargets(ref RankingJob job, RankingScratch scratch, int first, int users)
    {
        scratch.Targets.Clear();
        scratch.StreamBias[0] = 0f;
        for (int lane = 0; lane < users; lane++)
        {
            Score(ref job, scratch, job.Problem.Targets[first + lane], 1);
            for (int k = 0; k < job.Widths.Length; k++)
            {
                scratch.Targets[k * Lanes + lane] = scratch.Tile[k * TileRows * Lanes + lane];
            }
        }
    }

    /// <summary>Pairs of row and lane that are not counted, in order: those that do not compete, and those that are the user's
    /// own.</summary>
    private static ReadOnlySpan<long> FindSkipped(
        ref RankingJob job,
        RankingScratch scratch,
        int first,
        int users,
        out ReadOnlySpan<long> own
    )
    {
        ReadOnlySpan<int> offsets = job.Problem.ExcludedOffsets;
        int excluded = offsets.IsEmpty ? 0 : offsets[first + users] - offsets[first];
        Span<long> all = scratch.Skipped(excluded + (2 * users));
        int at = 0;
        for (int lane = 0; lane < users && !offsets.IsEmpty; lane++)
        {
            foreach (int item in job.Problem.Excluded[offsets[first + lane]..offsets[first + lane + 1]])
            {
                all[at++] = ((long)item * Lanes) + lane;
            }
        }

        int end = at;
        for (int lane = 0; lane < users; lane++)
        {
            all[end++] = ((long)job.Problem.Targets[first + lane] * Lanes) + lane;
            if (!job.Problem.Own.IsEmpty && job.Problem.Own[first + lane] is var row and >= 0)
            {
                all[end++] = ((long)row * Lanes) + lane;
            }
        }

        Span<long> skipped = all[..at];
        Span<long> mine = all[at..end];
        skipped.Sort();
        mine.Sort();
        own = mine;
        return skipped;
    }

    private static void SetThresholds(ref RankingJob job, RankingScratch scratch, int first, int users)
    {
        scratch.Thresholds.Fill(float.PositiveInfinity);
        for (int lane = 0; lane < users && !job.Problem.Best.IsEmpty; lane++)
        {
            for (int k = 0; k < job.Widths.Length; k++)
            {
                scratch.Thresholds[k * Lanes + lane] = Below(job.Problem.Best[((first + lane) * job.Widths.Length) + k]);
            }
        }
    }

    private static float Below(ScoreSink sink) => MathF.BitDecrement(sink.Threshold);

    /// <summary>Unused rows start from NaN, which is neither above nor equal.</summary>
    private static void SetBias(ref RankingJob job, RankingScratch scratch, int tile, int count)
    {
        for (int j = 0; j < count; j++)
        {
            scratch.StreamBias[j] = job.Problem.Present.IsEmpty || job.Problem.Present[tile + j] != 0 ? 0f : float.NaN;
        }
    }

    private static void Score(ref RankingJob job, RankingScratch scratch, int tile, int count)
    {
        LogitTile logits = new()
        {
            Stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Catalogue), (nint)tile * job.Dimension),
            Stride = job.Dimension,
            Panel = ref MemoryMarshal.GetReference(scratch.Panel),
            StreamBias = ref MemoryMarshal.GetReference(scratch.StreamBias),
            LaneBias = ref MemoryMarshal.GetReference(scratch.Zeros),
            Widths = ref MemoryMarshal.GetReference(job.Widths),
            WidthCount = job.Widths.Length,
            Output = ref MemoryMarshal.GetReference(scratch.Tile),
            WidthStride = TileRows * Lanes,
        };
        PanelLogits<T>.Compute(in logits, count);
        for (int k = 0; !job.Scales.IsEmpty && k < job.Widths.Length; k++)
        {
            Scale(ref scratch.Tile[k * TileRows * Lanes], job.Scales.Slice(k * job.Items + tile, count));
        }
    }

    private static void Scale(ref float scores, ReadOnlySpan<float> scales)
    {
        for (int j = 0; j < scales.Length; j++)
        {
            T scale = T.Create(scales[j]);
            for (nint at = j * Lanes, end = at + Lanes; at < end; at += T.Count)
            {
                (T.Load(ref scores, at) * scale).Store(ref scores, at);
            }
        }
    }

    /// <summary>Makes pairs of the tile NaN, which is neither above nor equal.</summary>
    private static ReadOnlySpan<long> Skip(
        in RankingJob job,
        ReadOnlySpan<long> skipped,
        RankingScratch scratch,
        int first,
        int tile,
        int count,
        bool isOffered
    )
    {
        int widths = job.Widths.Length;
        int done = 0;
        for (long end = (tile + (long)count) * Lanes; done < skipped.Length && skipped[done] < end; done++)
        {
            int at = (int)(skipped[done] - (long)tile * Lanes);
            for (int k = 0; k < widths; k++)
            {
                if (isOffered)
                {
                    Offer(in job, scratch, first, tile, at, k);
                }

                scratch.Tile[k * TileRows * Lanes + at] = float.NaN;
            }
        }

        return skipped[done..];
    }

    /// <summary>Hands the rows of the tile that reach a threshold to the sinks.</summary>
    private static void Collect(in RankingJob job, RankingScratch scratch, int first, int users, int tile, int count)
    {
        if (job.Problem.Best.IsEmpty)
        {
            return;
        }

        Span<float> hits = stackalloc float[Lanes];
        for (int k = 0; k < job.Widths.Length; k++)
        {
            ReadOnlySpan<float> scores = scratch.Tile.Slice(k * TileRows * Lanes, count * Lanes);
            Span<float> thresholds = scratch.Thresholds.Slice(k * Lanes, Lanes);
            CountAbove(ref MemoryMarshal.GetReference(scores), ref thresholds[0], count, ref hits[0]);
            for (int lane = 0; lane < users; lane++)
            {
                if (hits[lane] > 0)
                {
                    thresholds[lane] = Collect(
                        job.Problem.Best[((first + lane) * job.Widths.Length) + k],
                        scores[lane..],
                        tile,
                        thresholds[lane]
                    );
                }
            }
        }
    }

    /// <summary>Hands the rows of a lane above a threshold to its sink.</summary>
    /// <returns>The threshold afterwards.</returns>
    private static float Collect(ScoreSink sink, ReadOnlySpan<float> scores, int tile, float threshold)
    {
        for (int at = 0; at < scores.Length; at += Lanes)
        {
            if (scores[at] > threshold)
            {
                sink.Offer(tile + (at / Lanes), scores[at]);
                threshold = Below(sink);
            }
        }

        return threshold;
    }

    /// <summary>Offers one score if it reaches the sink's threshold. An unused row, or one made NaN, does not.</summary>
    private static void Offer(in RankingJob job, RankingScratch scratch, int first, int tile, int at, int k)
    {
        int lane = at % Lanes;
        float score = scratch.Tile[k * TileRows * Lanes + at];
        if (score > scratch.Thresholds[k * Lanes + lane])
        {
            ScoreSink sink = job.Problem.Best[((first + lane) * job.Widths.Length) + k];
            sink.Offer(tile + (at / Lanes), score);
            scratch.Thresholds[k * Lanes + lane] = Below(sink);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CountAbove(ref float scores, ref float thresholds, int count, ref float hits)
    {
        for (nint lane = 0; lane < Lanes; lane += T.Count)
        {
            T threshold = T.Load(ref thresholds, lane),
                above = T.Create(0f);
            for (nint at = lane, end = (nint)count * Lanes; at < end; at += Lanes)
            {
                above += T.OneIfGreater(T.Load(ref scores, at), threshold);
            }

            above.Store(ref hits, lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Count(ref float scores, ref float targets, int count, Span<int> above, Span<int> ties)
    {
        Span<float> sums = stackalloc float[2 * Lanes];
        for (nint lane = 0; lane < Lanes; lane += T.Count)
        {
            T target = T.Load(ref targets, lane),
                greater = T.Create(0f),
                equal = greater;
            for (nint at = lane, end = (nint)count * Lanes; at < end; at += Lanes)
            {
                T score = T.Load(ref scores, at);
                greater += T.OneIfGreater(score, target);
                equal += T.OneIfEqual(score, target);
            }

            greater.Store(ref sums[0], lane);
            equal.Store(ref sums[Lanes], lane);
        }

        for (int lane = 0; lane < Lanes; lane++)
        {
            above[lane] += (int)sums[lane];
            ties[lane] += (int)sums[Lanes + lane];
        }
    }
}
