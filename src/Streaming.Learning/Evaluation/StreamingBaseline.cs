namespace Streaming.Learning.Evaluation;

/// <summary>
/// A simple recommender that learns from a stream as the model does: ranked first, updated after. Items and users are
/// row numbers that start at 0; arrays grow as greater ones appear.
/// </summary>
/// <remarks>For evaluation beside a model, on one thread. Not bounded in memory beyond what the subclass says.</remarks>
public abstract class StreamingBaseline
{
    private double[] _scores = [];

    /// <summary>Gets a short name for tables and reports: "recent-popularity".</summary>
    public abstract string Name { get; }

    /// <summary>Gets the number of item rows known: one more than the greatest row that was updated.</summary>
    public int ItemCount { get; private set; }

    /// <summary>Ranks an item for a user among all items known so far.</summary>
    /// <param name="user">Row of the user.</param>
    /// <param name="history">The user's items before the event, oldest first.</param>
    /// <param name="item">Row of the item.</param>
    /// <param name="excluded">Item rows left out of the ranking, known or not; <paramref name="item"/> itself never is.</param>
    public TiedRank Rank(int user, ReadOnlySpan<int> history, int item, ReadOnlySpan<int> excluded)
    {
        if (!Knows(item))
        {
            return TiedRank.Missing;
        }

        var scores = _scores.AsSpan(0, ItemCount);
        Score(user, history, scores);
        foreach (int row in excluded)
        {
            if (row < ItemCount && row != item)
            {
                scores[row] = double.NegativeInfinity;
            }
        }

        return TiedRank.Of(scores, item);
    }

    /// <summary>Learns from an event.</summary>
    /// <param name="user">Row of the user.</param>
    /// <param name="history">The user's items before the event, oldest first.</param>
    /// <param name="item">Row of the item.</param>
    public void Update(int user, ReadOnlySpan<int> history, int item)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(item);
        ArgumentOutOfRangeException.ThrowIfNegative(user);
        if (item >= ItemCount)
        {
            Resize(item + 1);
        }

        Learn(user, history, item);
    }

    /// <summary>Knows of item rows below <paramref name="count"/> from now on.</summary>
    private protected void Resize(int count)
    {
        ItemCount = count;
        if (count > _scores.Length)
        {
            Array.Resize(ref _scores, Math.Max(count, 2 * _scores.Length));
            GrowItems(_scores.Length);
        }
    }

    /// <summary>Whether the item was seen in an update.</summary>
    protected internal abstract bool Knows(int item);

    /// <summary>Scores all items known; an item never seen (a gap between rows) scores −∞.</summary>
    /// <param name="user">Row of the user.</param>
    /// <param name="history">The user's items before the event, oldest first.</param>
    /// <param name="scores">Out: [<see cref="ItemCount"/>].</param>
    protected internal abstract void Score(int user, ReadOnlySpan<int> history, Span<double> scores);

    /// <summary>Learns from an event; arrays are large enough for the item.</summary>
    protected internal abstract void Learn(int user, ReadOnlySpan<int> history, int item);

    /// <summary>Makes room for item rows below <paramref name="capacity"/>.</summary>
    protected internal abstract void GrowItems(int capacity);
}
