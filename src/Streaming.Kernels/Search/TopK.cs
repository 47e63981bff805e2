using Streaming.Kernels.Panels;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Search;

/// <summary>Exhaustive nearest-item search (<see cref="TopKProblem"/>).</summary>
public static class TopK
{
    // From here on scoring 32 queries at once beats one dot product at a time.
    private const int LeastPanelQueries = 4;

    /// <summary>Finds the best rows of each query.</summary>
    /// <param name="problem">Queries, catalogue, outputs.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread. Threads divide the queries, 32 at a time.</param>
    /// <remarks>Each thread keeps its scratch memory, (width + 64) · 32 floats, for its next search.</remarks>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Search(in TopKProblem problem, Workers? workers = null)
    {
        TopKJob job = Checked(in problem);
        problem.Rows.Fill(-1);
        problem.Scores.Fill(float.NegativeInfinity);
        if (Simd512.IsSupported)
        {
            Run<Simd512>(ref job, workers);
        }
        else if (Simd256.IsSupported)
        {
            Run<Simd256>(ref job, workers);
        }
        else if (Simd128.IsSupported)
        {
            Run<Simd128>(ref job, workers);
        }
        else
        {
            Run<SimdScalar>(ref job, workers);
        }
    }

    private static void Run<T>(ref TopKJob job, Workers? workers)
        where T : struct, ISimd<T>
    {
        if (job.Queries < LeastPanelQueries)
        {
            TopKSingle<T>.Run(ref job);
            return;
        }

        Workers.RunOn(
            workers,
            (job.Queries + PanelLayout.Lanes - 1) / PanelLayout.Lanes,
            ref job,
            static (ref TopKJob job, int part, int _) => TopKPanel<T>.Run(ref job, part)
        );
    }

    private static TopKJob Checked(in TopKProblem p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p.Width, 1, nameof(p.Width));
        ArgumentOutOfRangeException.ThrowIfLessThan(p.Count, 1, nameof(p.Count));
        ArgumentOutOfRangeException.ThrowIfLessThan(p.QueryStride, p.Width, nameof(p.QueryStride));
        ArgumentOutOfRangeException.ThrowIfLessThan(p.CatalogueStride, p.Width, nameof(p.CatalogueStride));
        int queries = RowsIn(p.Queries.Length, p.QueryStride, p.Width);
        int items = RowsIn(p.Catalogue.Length, p.CatalogueStride, p.Width);
        Require(p.Rows.Length, (long)queries * p.Count, nameof(p.Rows));
        Require(p.Scores.Length, (long)queries * p.Count, nameof(p.Scores));
        if (!p.Present.IsEmpty)
        {
            Require(p.Present.Length, items, nameof(p.Present));
        }

        if (!p.Scales.IsEmpty)
        {
            Require(p.Scales.Length, items, nameof(p.Scales));
        }

        return new TopKJob
        {
            Problem = p,
            Queries = queries,
            Items = items,
        };
    }

    // The last row may end at its width.
    private static int RowsIn(int length, int stride, int width) => length < width ? 0 : (length - width) / stride + 1;

    private static void Require(int length, long expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{name} has {length} values; expected: {expected}.");
        }
    }
}
