using Streaming.Kernels.Search;
using Streaming.Learning.Counts;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// The items with the highest scores for one user, collected while all scores stream past. Items that tie at the end of the list
/// are excluded unless all of them fit, so that order never decides.
/// </summary>
internal sealed class TopItems : ScoreSink
{
    private readonly float[] _scores;
    private readonly ulong[] _keys;
    private readonly ulong[] _catalogue;
    private float _left = float.NegativeInfinity;
    private int _count;

    /// <summary>Creates an empty list.</summary>
    /// <param name="length">Maximum number of items, 1 and up.</param>
    /// <param name="catalogue">Keys of the rows that are offered by number; read when they are.</param>
    public TopItems(int length, ulong[] catalogue)
    {
        _catalogue = catalogue;
        _scores = new float[length];
        _keys = new ulong[length];
    }

    /// <summary>Clears the list.</summary>
    public void Clear()
    {
        _count = 0;
        _left = float.NegativeInfinity;
        Threshold = float.NegativeInfinity;
    }

    /// <inheritdoc/>
    public override void Offer(int row, float score) => Offer(_catalogue[row], score);

    /// <summary>Adds an item if its score is above <see cref="ScoreSink.Threshold"/>, or anyway while the list is not full. NaN never
    /// is.</summary>
    public void Offer(ulong key, float score)
    {
        if (float.IsNaN(score))
        {
            return;
        }

        if (score <= Threshold)
        {
            _left = Math.Max(_left, score);
        }
        else if (_count < _scores.Length)
        {
            Rise(_count++, key, score);
        }
        else
        {
            _left = Math.Max(_left, _scores[0]);
            Sink(key, score);
        }

        Threshold = _count == _scores.Length ? _scores[0] : float.NegativeInfinity;
    }

    /// <summary>Copies the list, for <see cref="Merge"/>.</summary>
    /// <param name="entries">Out: [its length, with one more at the end for what was left out] keys and scores; a missing entry has
    /// score NaN.</param>
    public void CopyTo(Span<TopEntry> entries)
    {
        entries.Fill(new TopEntry(0, float.NaN));
        for (int i = 0; i < _count; i++)
        {
            entries[i] = new TopEntry(_keys[i], _scores[i]);
        }

        entries[^1] = new TopEntry(0, _left);
    }

    /// <summary>Adds the list of another part of the catalogue, as <see cref="CopyTo"/> gives it.</summary>
    public void Merge(ReadOnlySpan<TopEntry> entries)
    {
        foreach (TopEntry entry in entries[..^1])
        {
            Offer(entry.Key, entry.Score);
        }

        _left = Math.Max(_left, entries[^1].Score);
    }

    /// <summary>Adds the items with small whole numbers as scores, in the same ranking.</summary>
    public void AddTo(SparseScores scores, ItemTable items)
    {
        // Sorted ascending is still a heap.
        _scores.AsSpan(0, _count).Sort(_keys.AsSpan(0, _count));
        int place = 0;
        for (int i = 0; i < _count; i++)
        {
            place = i > 0 && _scores[i] == _scores[i - 1] ? place : i + 1;
            int row = items.Find(_keys[i]);
            if (row >= 0 && _scores[i] > _left)
            {
                scores.Add(row, place);
            }
        }
    }

    private void Rise(int at, ulong key, float score)
    {
        for (int parent = (at - 1) / 2; at > 0 && _scores[parent] > score; at = parent, parent = (at - 1) / 2)
        {
            Put(at, _keys[parent], _scores[parent]);
        }

        Put(at, key, score);
    }

    private void Sink(ulong key, float score)
    {
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            child += child + 1 < _count && _scores[child + 1] < _scores[child] ? 1 : 0;
            if (child >= _count || _scores[child] >= score)
            {
                break;
            }

            Put(at, _keys[child], _scores[child]);
            at = child;
        }

        Put(at, key, score);
    }

    private void Put(int at, ulong key, float score)
    {
        _keys[at] = key;
        _scores[at] = score;
    }
}
