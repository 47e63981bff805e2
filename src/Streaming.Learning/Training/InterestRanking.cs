using System.Numerics.Tensors;
using Streaming.Kernels.Linear;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Search;

namespace Streaming.Learning.Training;

/// <summary>
/// Ranks for users with several vectors (the mind tower): an item's score is the maximum over the user's vectors, as in serving.
/// Plain, and a few times slower than <see cref="NestedRanking"/>, which takes one vector per user.
/// </summary>
/// <param name="widths">The nested widths, increasing.</param>
/// <param name="vectorsPerUser">Vectors per user, 1 and up.</param>
/// <param name="workers">Threads for the products; null runs on the calling thread.</param>
public sealed class InterestRanking(IReadOnlyList<int> widths, int vectorsPerUser, Workers? workers)
{
    private float[] _scores = [];
    private float[] _best = [];
    private bool[] _skipped = [];

    /// <summary>Counts, for each user and width, the items that score above the target and those that tie with it.</summary>
    /// <param name="problem">As for one vector per user, but <see cref="NestedRankingProblem.Users"/> is [B × vectors × D].</param>
    public void Run(in NestedRankingProblem problem)
    {
        int dimension = widths[^1];
        int count = problem.Catalogue.Length / dimension;
        if (_best.Length < count)
        {
            _scores = new float[count * vectorsPerUser];
            _best = new float[count];
            _skipped = new bool[count];
        }

        for (int user = 0; user < problem.Targets.Length; user++)
        {
            Skip(problem, user, count);
            ReadOnlySpan<float> vectors = problem.Users.Slice(user * vectorsPerUser * dimension, vectorsPerUser * dimension);
            for (int k = 0; k < widths.Count; k++)
            {
                Score(problem, vectors, k, count);
                Count(problem, user, k, count);
            }
        }
    }

    private void Skip(in NestedRankingProblem problem, int user, int count)
    {
        for (int item = 0; item < count; item++)
        {
            _skipped[item] = !problem.Present.IsEmpty && problem.Present[item] == 0;
        }

        if (!problem.Own.IsEmpty && problem.Own[user] >= 0)
        {
            _skipped[problem.Own[user]] = true;
        }

        foreach (int item in problem.Excluded[problem.ExcludedOffsets[user]..problem.ExcludedOffsets[user + 1]])
        {
            _skipped[item] = true;
        }
    }

    /// <summary>Adds the increment of a width to the products, then takes the maximum over the vectors for each item.</summary>
    private void Score(in NestedRankingProblem problem, ReadOnlySpan<float> vectors, int k, int count)
    {
        int dimension = widths[^1];
        int start = k == 0 ? 0 : widths[k - 1];
        Gemm.MultiplyTransposeB(
            vectorsPerUser,
            count,
            widths[k] - start,
            vectors[start..],
            dimension,
            problem.Catalogue[start..],
            dimension,
            _scores,
            count,
            accumulate: k > 0,
            workers
        );
        Span<float> best = _best.AsSpan(0, count);
        best.Fill(float.NegativeInfinity);
        for (int vector = 0; vector < vectorsPerUser; vector++)
        {
            // With cosine the vectors' norms decide which is nearest; the item's norm is applied afterwards.
            float scale = problem.Cosine ? 1 / (TensorPrimitives.Norm(vectors.Slice(vector * dimension, widths[k])) + 1e-6f) : 1;
            ReadOnlySpan<float> scores = _scores.AsSpan(vector * count, count);
            for (int item = 0; item < count; item++)
            {
                best[item] = Math.Max(best[item], scores[item] * scale);
            }
        }

        for (int item = 0; problem.Cosine && item < count; item++)
        {
            best[item] /= MathF.Sqrt(TensorPrimitives.SumOfSquares(problem.Catalogue.Slice(item * dimension, widths[k])) + 1e-12f);
        }
    }

    private void Count(in NestedRankingProblem problem, int user, int k, int count)
    {
        float target = _best[problem.Targets[user]];
        int above = float.IsFinite(target) ? 0 : int.MaxValue;
        int ties = 0;
        for (int item = 0; above < int.MaxValue && item < count; item++)
        {
            if (!_skipped[item] && item != problem.Targets[user])
            {
                above += _best[item] > target ? 1 : 0;
                ties += _best[item] == target ? 1 : 0;
            }
        }

        problem.Above[(user * widths.Count) + k] = above;
        problem.Ties[(user * widths.Count) + k] = ties;
    }
}
