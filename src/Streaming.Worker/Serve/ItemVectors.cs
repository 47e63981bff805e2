using Streaming.Kernels;

namespace Streaming.Worker;

/// <summary>Items with their vectors as of one moment, searched exactly at any width.</summary>
internal sealed class ItemVectors
{
    private readonly string[] _ids;
    private readonly float[] _vectors;
    private readonly int _dimension;
    private readonly Dictionary<string, int> _rows;

    /// <summary>Creates the set.</summary>
    /// <param name="ids">[N] item ids.</param>
    /// <param name="vectors">[N × D] vectors, at least.</param>
    /// <param name="dimension">D.</param>
    public ItemVectors(string[] ids, float[] vectors, int dimension)
    {
        _ids = ids;
        _vectors = vectors;
        _dimension = dimension;
        _rows = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (int i = 0; i < ids.Length; i++)
        {
            _rows[ids[i]] = i;
        }
    }

    /// <summary>Gets the number of items.</summary>
    public int Count => _ids.Length;

    /// <summary>Whether the item is there.</summary>
    public bool Contains(string id) => _rows.ContainsKey(id);

    /// <summary>The nearest items by cosine at a width, without the item itself.</summary>
    /// <returns>Ids with scores, best first; empty when the item is not there.</returns>
    public IReadOnlyList<(string Id, double Score)> Nearest(string id, int width, int count)
    {
        if (!_rows.TryGetValue(id, out int row))
        {
            return [];
        }

        int k = Math.Min(count + 1, Count);
        int[] rows = new int[k];
        float[] scores = new float[k];
        float[] scales = new float[Count];
        InverseNorms.Compute(_vectors.AsSpan(0, Count * _dimension), _dimension, width, scales);
        TopK.Search(new TopKProblem
        {
            Queries = _vectors.AsSpan(row * _dimension, _dimension),
            QueryStride = _dimension,
            Catalogue = _vectors.AsSpan(0, Count * _dimension),
            CatalogueStride = _dimension,
            Width = width,
            Scales = scales,
            Count = k,
            Rows = rows,
            Scores = scores,
        });
        var nearest = new List<(string, double)>(count);
        for (int i = 0; i < k && nearest.Count < count; i++)
        {
            if (rows[i] >= 0 && rows[i] != row)
            {
                nearest.Add((_ids[rows[i]], scores[i] * scales[row]));
            }
        }

        return nearest;
    }
}
