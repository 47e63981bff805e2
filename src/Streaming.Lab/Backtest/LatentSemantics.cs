using System.Numerics.Tensors;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Latent semantic analysis (Deerwester et al. 1990): projects items, as weighted sets of features, onto the F directions of
/// largest variation, the right singular vectors of the matrix items × features. Found by subspace iteration from a
/// fixed start (Halko, Martinsson, Tropp 2011, algorithm 4.4).
/// </summary>
/// <remarks>With at most F distinct features, each keeps its own direction.</remarks>
internal static class LatentSemantics
{
    // Each iteration reduces the error of a singular direction by the square of the ratio of singular values.
    private const int Iterations = 4;

    /// <summary>Projects items.</summary>
    /// <param name="items">The features of each item, by number, with their weights.</param>
    /// <param name="features">Number of distinct features.</param>
    /// <param name="length">F.</param>
    /// <returns>[F] values per item.</returns>
    public static float[][] Map(IReadOnlyList<IReadOnlyList<(int Feature, float Weight)>> items, int features, int length)
    {
        float[][] directions = Start(features, length);
        for (int i = 0; i < Iterations && features > length; i++)
        {
            float[][] next = [.. directions.Select(_ => new float[length])];
            float[][] mapped = Times(items, directions, length);
            for (int item = 0; item < items.Count; item++)
            {
                foreach ((int feature, float weight) in items[item])
                {
                    TensorPrimitives.MultiplyAdd(mapped[item], weight, next[feature], next[feature]);
                }
            }

            Orthonormalise(next, length);
            directions = next;
        }

        return Times(items, directions, length);
    }

    private static float[][] Times(IReadOnlyList<IReadOnlyList<(int Feature, float Weight)>> items, float[][] directions, int length)
    {
        float[][] mapped = [.. items.Select(_ => new float[length])];
        for (int item = 0; item < items.Count; item++)
        {
            foreach ((int feature, float weight) in items[item])
            {
                TensorPrimitives.MultiplyAdd(directions[feature], weight, mapped[item], mapped[item]);
            }
        }

        return mapped;
    }

    private static float[][] Start(int features, int length)
    {
        var random = new Random(1);
        float[][] directions = new float[features][];
        for (int feature = 0; feature < features; feature++)
        {
            directions[feature] = new float[length];
            if (features <= length)
            {
                directions[feature][feature] = 1;
                continue;
            }

            foreach (ref float value in directions[feature].AsSpan())
            {
                value = (2 * random.NextSingle()) - 1;
            }
        }

        return directions;
    }

    /// <summary>Gram–Schmidt on the columns, each twice against its predecessors, which keeps float32 orthogonal.</summary>
    private static void Orthonormalise(float[][] rows, int length)
    {
        float[] column = new float[rows.Length];
        var done = new List<float[]>();
        for (int c = 0; c < length; c++)
        {
            for (int r = 0; r < rows.Length; r++)
            {
                column[r] = rows[r][c];
            }

            float before = TensorPrimitives.Norm<float>(column);
            for (int pass = 0; pass < 2; pass++)
            {
                foreach (float[] other in done)
                {
                    TensorPrimitives.MultiplyAdd(other, -TensorPrimitives.Dot<float>(other, column), column, column);
                }
            }

            // The remainder of a linearly dependent column is rounding error, not a direction.
            float norm = TensorPrimitives.Norm<float>(column);
            TensorPrimitives.Multiply(column, norm > 1e-5f * before ? 1 / norm : 0, column);
            done.Add([.. column]);
            for (int r = 0; r < rows.Length; r++)
            {
                rows[r][c] = column[r];
            }
        }
    }
}
