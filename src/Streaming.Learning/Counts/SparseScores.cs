using Streaming.Learning.Evaluation;

namespace Streaming.Learning.Counts;

/// <summary>Positive scores of some items by row; all others are 0. Clearing takes as long as filling did.</summary>
/// <param name="capacity">Number of rows.</param>
internal sealed class SparseScores(int capacity)
{
    private readonly float[] _scores = new float[capacity];
    private int[] _rows = new int[256];
    private float[] _order = [];
    private int[] _sorted = [];

    /// <summary>Gets the number of items with a score.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the rows with a score, in insertion order.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, Count);

    /// <summary>The score of a row.</summary>
    public float this[int row] => _scores[row];

    /// <summary>Clears all scores.</summary>
    public void Clear()
    {
        foreach (int row in Rows)
        {
            _scores[row] = 0;
        }

        Count = 0;
    }

    /// <summary>Adds to a row's score.</summary>
    /// <param name="row">The row.</param>
    /// <param name="score">The score to add; ignored unless above 0.</param>
    public void Add(int row, float score)
    {
        if (!(score > 0))
        {
            return;
        }

        if (_scores[row] == 0)
        {
            if (Count == _rows.Length)
            {
                Array.Resize(ref _rows, 2 * Count);
            }

            _rows[Count++] = row;
        }

        _scores[row] += score;
    }

    /// <summary>Adds all scores of another instance, times a factor.</summary>
    public void Add(SparseScores other, float factor)
    {
        foreach (int row in other.Rows)
        {
            Add(row, factor * other[row]);
        }
    }

    /// <summary>Adds the scores of another instance, divided by the greatest of them.</summary>
    public void AddOverMaximum(SparseScores other)
    {
        float greatest = 0;
        foreach (int row in other.Rows)
        {
            greatest = Math.Max(greatest, other[row]);
        }

        Add(other, 1 / Math.Max(greatest, float.Epsilon));
    }

    /// <summary>
    /// Adds weight / (constant + rank) for each item of another instance, rank 0 the best (reciprocal rank fusion; Cormack, Clarke,
    /// Büttcher 2009). Tied items share their mean rank, so storage order never decides.
    /// </summary>
    public void AddReciprocalRanks(SparseScores other, float weight, float constant)
    {
        int count = other.Count;
        if (_order.Length < count)
        {
            _order = new float[2 * count];
            _sorted = new int[2 * count];
        }

        for (int i = 0; i < count; i++)
        {
            _sorted[i] = other._rows[i];
            _order[i] = -other._scores[_sorted[i]];
        }

        _order.AsSpan(0, count).Sort(_sorted.AsSpan(0, count));
        for (int first = 0, end; first < count; first = end)
        {
            for (end = first + 1; end < count && _order[end] == _order[first]; end++) { }

            float rank = (first + end - 1) / 2f;
            for (int i = first; i < end; i++)
            {
                Add(_sorted[i], weight / (constant + rank));
            }
        }
    }

    /// <summary>The rank of an item by these scores.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="competing">Number of items in the ranking, including the item and those without a score.</param>
    public TiedRank Rank(int row, int competing)
    {
        float score = _scores[row];
        if (score == 0)
        {
            return new(Count, Math.Max(competing - Count - 1, 0));
        }

        int above = 0,
            level = 0;
        foreach (int other in Rows)
        {
            above += _scores[other] > score ? 1 : 0;
            level += _scores[other] == score ? 1 : 0;
        }

        return new(above, level - 1);
    }
}
