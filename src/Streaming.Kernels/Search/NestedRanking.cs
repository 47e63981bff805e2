using Streaming.Kernels.Norms;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;
using Streaming.Kernels.Softmax;
using Streaming.Kernels.Widths;

namespace Streaming.Kernels.Search;

/// <summary>Ranks of targets in a whole catalogue, all widths in one pass (<see cref="NestedRankingProblem"/>).</summary>
/// <remarks>
/// Scores 32 users at a time against tiles of 64 items, with the kernel of <see cref="NestedSoftmax"/>. A target's score comes
/// from the same kernel, so equal vectors tie exactly. Has scratch memory: one thread at a time may use an instance. Results
/// do not depend on the number of threads.
/// </remarks>
public sealed class NestedRanking
{
    private readonly int[] _widths;
    private readonly Workers? _workers;
    private readonly RankingScratch[] _scratch;
    private float[] _scales = [];

    /// <summary>Allocates scratch.</summary>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public NestedRanking(ReadOnlySpan<int> widths, Workers? workers = null)
    {
        _widths = NestedWidths.Checked(widths);
        _workers = workers;
        _scratch = new RankingScratch[workers?.Threads ?? 1];
        for (int i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = new RankingScratch(_widths);
        }
    }

    /// <summary>Counts, for each user and width, the items that score above the target and those that tie with it.</summary>
    /// <remarks>Scratch for excluded rows and for the catalogue's norms grows when a call needs more than previous ones.</remarks>
    /// <exception cref="ArgumentException">A span has the wrong length, or a row lies outside the catalogue.</exception>
    public void Run(in NestedRankingProblem problem)
    {
        RankingJob job = new()
        {
            Problem = problem,
            Widths = _widths,
            Scratch = _scratch,
            Items = problem.Catalogue.Length / _widths[^1],
        };
        Check(ref job);
        if (problem.Cosine)
        {
            if (_scales.Length < _widths.Length * job.Items)
            {
                _scales = new float[_widths.Length * job.Items];
            }

            job.Scales = _scales.AsSpan(0, _widths.Length * job.Items);
            InverseNorms.ComputeNested(problem.Catalogue, _widths, job.Scales, _workers);
        }

        if (Simd512.IsSupported)
        {
            Run<Simd512>(ref job);
        }
        else if (Simd256.IsSupported)
        {
            Run<Simd256>(ref job);
        }
        else if (Simd128.IsSupported)
        {
            Run<Simd128>(ref job);
        }
        else
        {
            Run<SimdScalar>(ref job);
        }
    }

    private static void Check(ref RankingJob job)
    {
        int users = job.Problem.Targets.Length;
        RequireLength(job.Problem.Catalogue.Length, job.Items * (long)job.Dimension, nameof(job.Problem.Catalogue));
        RequireLength(job.Problem.Users.Length, users * (long)job.Dimension, nameof(job.Problem.Users));
        RequireLength(job.Problem.Above.Length, users * (long)job.Widths.Length, nameof(job.Problem.Above));
        RequireLength(job.Problem.Ties.Length, users * (long)job.Widths.Length, nameof(job.Problem.Ties));
        if (!job.Problem.Best.IsEmpty)
        {
            RequireLength(job.Problem.Best.Length, users * (long)job.Widths.Length, nameof(job.Problem.Best));
        }

        if (!job.Problem.Own.IsEmpty)
        {
            RequireLength(job.Problem.Own.Length, users, nameof(job.Problem.Own));
            RequireRows(job.Problem.Own, job.Items, nameof(job.Problem.Own), least: -1);
        }

        RequireRows(job.Problem.Targets, job.Items, nameof(job.Problem.Targets));
        RequireRows(job.Problem.Excluded, job.Items, nameof(job.Problem.Excluded));
        if (!job.Problem.Present.IsEmpty)
        {
            RequireLength(job.Problem.Present.Length, job.Items, nameof(job.Problem.Present));
        }

        if (!job.Problem.ExcludedOffsets.IsEmpty)
        {
            RequireLength(job.Problem.ExcludedOffsets.Length, users + 1L, nameof(job.Problem.ExcludedOffsets));
        }
    }

    private static void RequireLength(int length, long expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{name} has {length} values; expected: {expected}.");
        }
    }

    private static void RequireRows(ReadOnlySpan<int> rows, int items, string name, int least = 0)
    {
        foreach (int row in rows)
        {
            if (row < least || row >= items)
            {
                throw new ArgumentException($"{name} contains row {row}; the catalogue has rows 0 … {items - 1}.");
            }
        }
    }

    private void Run<T>(ref RankingJob job)
        where T : struct, ISimd<T> =>
        Workers.RunOn(
            _workers,
            (job.Problem.Targets.Length + PanelLayout.Lanes - 1) / PanelLayout.Lanes,
            ref job,
            static (ref RankingJob job, int part, int worker) => RankingPanel<T>.Run(ref job, part, job.Scratch[worker])
        );
}
