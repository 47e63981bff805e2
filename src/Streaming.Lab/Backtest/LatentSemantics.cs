using System.Numerics.Tensors;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Latent semantic analysis (Deerwester et al. 1990): items as weighted sets of features, mapped to the F directions in
/// which they differ most, the right singular vectors of the matrix items × features. Found by subspace iteration from a
/// fixed start (Halko, Martinsson, Tropp 2011, algorithm 4.4).
/// </summary>
/// <remarks>With no more distinct features than F the map keeps all of them, each a direction of its own.</remarks>
internal static class LatentSemantics
{
    // The error of a singular direction falls by the square of the ratio of singular values each time.
    private const int Iterations = 4;

    /// <summary>Maps items.</summary>
    /// <param name="items">The features of each item, by number, with their weights.</param>
    /// <param name="features">Number of distinct features.</param>
    /// <param name="length">F.</param>
    /// <returns>[F] values an item.</returns>
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
        var directions = new float[features][];
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

    /// <summary>Gram–Schmidt on the columns, each against those before it twice, which keeps float32 orthogonal.</summary>
    private static void Orthonormalise(float[][] rows, int length)
    {
        var column = new float[rows.Length];
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

            // What is left of a column that the others span is rounding, no direction.
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
