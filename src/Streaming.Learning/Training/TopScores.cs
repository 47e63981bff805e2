using System.Numerics.Tensors;
using Streaming.Kernels.Linear;
using Streaming.Kernels.Parallel;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>Scores of a tile of the catalogue for many users, width after width, offered to their top lists.</summary>
/// <param name="model">The model.</param>
/// <param name="workers">Threads for the products; null runs on the calling thread.</param>
internal sealed class TopScores(ModelOptions model, Workers? workers)
{
    private float[] _scores = [];
    private float[] _best = [];
    private float[] _squares = [];

    /// <summary>Adds the products of a width's increment to those of the previous widths.</summary>
    /// <param name="k">Index of the width; call in order from 0.</param>
    /// <param name="users">[B × vectors × D] user vectors.</param>
    /// <param name="tile">[N × D] item vectors.</param>
    public void Add(int k, ReadOnlySpan<float> users, ReadOnlySpan<float> tile)
    {
        int dimension = model.Dimension;
        int rows = users.Length / dimension;
        int count = tile.Length / dimension;
        int start = k == 0 ? 0 : model.Widths[k - 1];
        int length = model.Widths[k] - start;
        Buffers.Grow(ref _scores, rows * count);
        Buffers.Grow(ref _best, count);
        Buffers.Grow(ref _squares, count);
        Gemm.MultiplyTransposeB(
            rows,
            count,
            length,
            users[start..],
            dimension,
            tile[start..],
            dimension,
            _scores,
            count,
            accumulate: k > 0,
            workers
        );
        for (int item = 0; item < count; item++)
        {
            float squares = TensorPrimitives.SumOfSquares(tile.Slice((item * dimension) + start, length));
            _squares[item] = k == 0 ? squares : _squares[item] + squares;
        }
    }

    /// <summary>Offers the items of the tile to the list of a user.</summary>
    /// <param name="user">Number of the user.</param>
    /// <param name="vectors">[vectors × D] the user's vectors.</param>
    /// <param name="width">The width last added.</param>
    /// <param name="excluded">Positions in the tile to exclude.</param>
    /// <param name="rows">Rows of the tile's items.</param>
    /// <param name="items">Maps items to rows.</param>
    /// <param name="top">The list.</param>
    public void Offer(
        int user,
        ReadOnlySpan<float> vectors,
        int width,
        ReadOnlySpan<int> excluded,
        ReadOnlySpan<int> rows,
        ItemTable items,
        TopItems top
    )
    {
        Span<float> best = _best.AsSpan(0, rows.Length);
        Best(user, vectors, width, best);
        foreach (int place in excluded)
        {
            best[place] = float.NaN;
        }

        for (int i = 0; i < best.Length; i++)
        {
            // The list checks its threshold too, but this avoids most calls: most items are below it.
            if (best[i] >= top.Threshold)
            {
                top.Offer(items.KeyOf(rows[i]), best[i]);
            }
        }
    }

    /// <summary>The maximum score over a user's vectors. With cosine the item's norm counts, and with several vectors theirs too.</summary>
    private void Best(int user, ReadOnlySpan<float> vectors, int width, Span<float> best)
    {
        int count = best.Length;
        int many = model.VectorsPerUser;
        best.Fill(float.NegativeInfinity);
        for (int vector = 0; vector < many; vector++)
        {
            float scale =
                model.Cosine && many > 1 ? 1 / (TensorPrimitives.Norm(vectors.Slice(vector * model.Dimension, width)) + 1e-6f) : 1;
            ReadOnlySpan<float> scores = _scores.AsSpan(((user * many) + vector) * count, count);
            for (int item = 0; item < count; item++)
            {
                best[item] = Math.Max(best[item], scores[item] * scale);
            }
        }

        for (int item = 0; model.Cosine && item < count; item++)
        {
            best[item] /= MathF.Sqrt(_squares[item] + 1e-12f);
        }
    }
}
