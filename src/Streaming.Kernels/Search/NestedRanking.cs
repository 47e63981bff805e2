namespace Streaming.Kernels;

/// <summary>Ranks of targets in a whole catalogue, all widths in one pass (<see cref="NestedRankingProblem"/>).</summary>
/// <remarks>Holds scratch: one thread calls an instance at a time. Results do not depend on the number of threads.</remarks>
public sealed class NestedRanking
{
    private readonly int[] _widths;

    /// <summary>Allocates scratch.</summary>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public NestedRanking(ReadOnlySpan<int> widths, Workers? workers = null)
    {
        _widths = NestedWidths.Checked(widths);
        _ = workers;
    }

    /// <summary>Counts, for each user and width, the items above the target and the items level with it.</summary>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public void Run(in NestedRankingProblem problem)
    {
        int dimension = _widths[^1];
        int count = problem.Catalogue.Length / dimension;
        problem.Above.Clear();
        problem.Ties.Clear();
        Span<float> target = stackalloc float[_widths.Length];
        Span<float> other = stackalloc float[_widths.Length];
        for (int row = 0; row < problem.Targets.Length; row++)
        {
            ReadOnlySpan<int> excluded = problem.ExcludedOffsets.IsEmpty ? [] : problem.Excluded[problem.ExcludedOffsets[row]..problem.ExcludedOffsets[row + 1]];
            Scores(in problem, row, problem.Targets[row], target);
            for (int item = 0; item < count; item++)
            {
                if (item == problem.Targets[row] || (!problem.Present.IsEmpty && problem.Present[item] == 0) || excluded.Contains(item))
                {
                    continue;
                }

                Scores(in problem, row, item, other);
                for (int k = 0; k < _widths.Length; k++)
                {
                    problem.Above[row * _widths.Length + k] += other[k] > target[k] ? 1 : 0;
                    problem.Ties[row * _widths.Length + k] += other[k] == target[k] ? 1 : 0;
                }
            }
        }
    }

    private void Scores(in NestedRankingProblem problem, int row, int item, Span<float> scores)
    {
        int dimension = _widths[^1];
        float dot = 0, squares = 0;
        int d = 0;
        for (int k = 0; k < _widths.Length; k++)
        {
            for (; d < _widths[k]; d++)
            {
                float value = problem.Catalogue[item * dimension + d];
                dot = MathF.FusedMultiplyAdd(value, problem.Users[row * dimension + d], dot);
                squares = MathF.FusedMultiplyAdd(value, value, squares);
            }

            scores[k] = problem.Cosine ? dot / MathF.Sqrt(squares + 1e-12f) : dot;
        }
    }
}
