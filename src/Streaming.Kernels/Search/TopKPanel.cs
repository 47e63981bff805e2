using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Search;

/// <summary>32 queries against the whole catalogue.</summary>
internal static class TopKPanel<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;
    private const int TileRows = PanelLayout.TileRows;

    [ThreadStatic]
    private static AlignedFloats? _scratch;

    public static void Run(ref TopKJob job, int panel)
    {
        int first = panel * Lanes,
            queries = Math.Min(Lanes, job.Queries - first),
            width = job.Problem.Width;
        int needed = (width + TileRows + 1) * Lanes + TileRows;
        if (_scratch is null || _scratch.Length < needed)
        {
            _scratch = new AlignedFloats(needed);
        }

        Span<float> transposed = _scratch.Span[..(width * Lanes)];
        Span<float> tile = _scratch.Span.Slice(width * Lanes, TileRows * Lanes);
        Span<float> best = _scratch.Span.Slice((width + TileRows) * Lanes, Lanes);
        Span<float> zeros = _scratch.Span.Slice((width + TileRows + 1) * Lanes, TileRows);
        zeros.Clear();
        Transpose(ref job, first, queries, transposed);
        for (int item = 0; item < job.Items; item += TileRows)
        {
            int count = Math.Min(TileRows, job.Items - item);
            Score(ref job, item, count, transposed, tile, zeros);
            Maxima(ref tile[0], count, ref best[0]);
            for (int lane = 0; lane < queries; lane++)
            {
                if (best[lane] > job.Problem.Scores[((first + lane + 1) * job.Problem.Count) - 1])
                {
                    Offer(ref job, first + lane, item, tile[lane..], count);
                }
            }
        }
    }

    private static void Transpose(ref TopKJob job, int first, int queries, Span<float> transposed)
    {
        transposed.Clear();
        for (int lane = 0; lane < queries; lane++)
        {
            ReadOnlySpan<float> query = job.Problem.Queries.Slice((first + lane) * job.Problem.QueryStride, job.Problem.Width);
            for (int d = 0; d < query.Length; d++)
            {
                transposed[d * Lanes + lane] = query[d];
            }
        }
    }

    private static void Score(ref TopKJob job, int item, int count, Span<float> transposed, Span<float> tile, Span<float> zeros)
    {
        int width = job.Problem.Width;
        LogitTile logits = new()
        {
            Stream = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Catalogue), (nint)item * job.Problem.CatalogueStride),
            Stride = job.Problem.CatalogueStride,
            Panel = ref MemoryMarshal.GetReference(transposed),
            StreamBias = ref MemoryMarshal.GetReference(zeros),
            LaneBias = ref MemoryMarshal.GetReference(zeros),
            Widths = ref width,
            WidthCount = 1,
            Output = ref MemoryMarshal.GetReference(tile),
            WidthStride = TileRows * Lanes,
        };
        PanelLogits<T>.Compute(in logits, count);
        for (int j = 0; j < count && !(job.Problem.Scales.IsEmpty && job.Problem.Present.IsEmpty); j++)
        {
            if (!job.IsPresent(item + j))
            {
                tile.Slice(j * Lanes, Lanes).Fill(float.NegativeInfinity);
                continue;
            }

            T scale = T.Create(job.Scale(item + j));
            for (nint at = j * Lanes, end = at + Lanes; at < end; at += T.Count)
            {
                (T.Load(ref tile[0], at) * scale).Store(ref tile[0], at);
            }
        }
    }

    /// <summary>The best score of each lane in a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Maxima(ref float scores, int count, ref float best)
    {
        for (nint lane = 0; lane < Lanes; lane += T.Count)
        {
            T maximum = T.Create(float.NegativeInfinity);
            for (nint at = lane, end = (nint)count * Lanes; at < end; at += Lanes)
            {
                maximum = T.Max(T.Load(ref scores, at), maximum);
            }

            maximum.Store(ref best, lane);
        }
    }

    private static void Offer(ref TopKJob job, int query, int item, Span<float> column, int count)
    {
        int last = ((query + 1) * job.Problem.Count) - 1;
        for (int j = 0; j < count; j++)
        {
            if (column[j * Lanes] > job.Problem.Scores[last])
            {
                job.Offer(query, item + j, column[j * Lanes]);
            }
        }
    }
}
