using System.Numerics.Tensors;

namespace Streaming.Kernels;

/// <summary>Exhaustive nearest-item search (<see cref="TopKProblem"/>).</summary>
public static class TopK
{
    /// <summary>Finds the best rows of each query.</summary>
    /// <param name="problem">Queries, catalogue, outputs.</param>
    /// <param name="workers">Threads to use, or null for the calling one. Queries are divided among them.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Search(in TopKProblem problem, Workers? workers = null)
    {
        int queries = problem.Rows.Length / Math.Max(1, problem.Count);
        int rows = (problem.Catalogue.Length + problem.CatalogueStride - problem.Width) / problem.CatalogueStride;
        problem.Rows.Fill(-1);
        problem.Scores.Fill(float.NegativeInfinity);
        for (int query = 0; query < queries; query++)
        {
            Span<int> bestRows = problem.Rows.Slice(query * problem.Count, problem.Count);
            Span<float> bestScores = problem.Scores.Slice(query * problem.Count, problem.Count);
            for (int row = 0; row < rows; row++)
            {
                if (!problem.Present.IsEmpty && problem.Present[row] == 0)
                {
                    continue;
                }

                float score = TensorPrimitives.Dot(problem.Queries.Slice(query * problem.QueryStride, problem.Width), problem.Catalogue.Slice(row * problem.CatalogueStride, problem.Width));
                score *= problem.Scales.IsEmpty ? 1f : problem.Scales[row];
                int at = problem.Count;
                while (at > 0 && score > bestScores[at - 1])
                {
                    at--;
                }

                if (at < problem.Count)
                {
                    bestRows[at..^1].CopyTo(bestRows[(at + 1)..]);
                    bestScores[at..^1].CopyTo(bestScores[(at + 1)..]);
                    bestRows[at] = row;
                    bestScores[at] = score;
                }
            }
        }
    }
}
