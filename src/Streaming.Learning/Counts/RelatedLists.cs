using Streaming.Core.Embeddings;
using Streaming.Learning.Items;

namespace Streaming.Learning.Counts;

/// <summary>Makes the lists of an item that are published: the heaviest entries of <see cref="ItemCounts"/>, best first, with the
/// weights that <see cref="CountScores"/> adds up. For one thread.</summary>
/// <param name="counts">The counts.</param>
/// <param name="items">Which item has which row.</param>
/// <param name="length">The most entries of a list, 1 and up.</param>
internal sealed class RelatedLists(ItemCounts counts, ItemTable items, int length)
{
    private ulong[] _keys = [];
    private float[] _weights = [];

    /// <summary>The lists of a row, or null when nothing was counted with it.</summary>
    public RelatedItems? Of(int row)
    {
        RelatedItem[] neighbors = Best(counts.Neighbours, row, 1 / MathF.Sqrt(Events(row)), cosine: true);
        RelatedItem[] successors = Best(counts.Successors, row, 1 / Events(row), cosine: false);
        return neighbors.Length + successors.Length == 0 ? null : new RelatedItems(counts.Window, neighbors, successors);
    }

    private RelatedItem[] Best(CountLists lists, int row, float scale, bool cosine)
    {
        ReadOnlySpan<ulong> keys = lists.Keys(row);
        if (_keys.Length < keys.Length)
        {
            _keys = new ulong[2 * keys.Length];
            _weights = new float[2 * keys.Length];
        }

        int known = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            int item = items.Find(keys[i]);
            float weight = item < 0 ? 0 : scale * (lists.Weights(row)[i] - lists.Errors(row)[i]) / (cosine ? MathF.Sqrt(Events(item)) : 1);
            if (weight > 0)
            {
                _keys[known] = keys[i];
                _weights[known++] = -weight; // ascending order is best first
            }
        }

        _weights.AsSpan(0, known).Sort(_keys.AsSpan(0, known));
        var best = new RelatedItem[Math.Min(known, length)];
        for (int i = 0; i < best.Length; i++)
        {
            best[i] = new RelatedItem(_keys[i], -_weights[i]);
        }

        return best;
    }

    // As CountScores: an item may be in a list without an event of its own.
    private float Events(int row) => Math.Max(counts.EventsOf(row), counts.Unit);
}
