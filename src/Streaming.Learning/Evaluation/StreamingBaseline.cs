namespace Streaming.Learning.Evaluation;

/// <summary>
/// A simple recommender that learns from the stream as the model does: it ranks first and updates afterwards. Items and users
/// are row numbers from 0; arrays grow with the highest one.
/// </summary>
/// <remarks>For evaluation next to a model, on one thread. Memory is bounded only as the subclass documents.</remarks>
public abstract class StreamingBaseline
{
    private double[] _scores = [];

    /// <summary>Gets a short name for tables and reports: "recent-popularity".</summary>
    public abstract string Name { get; }

    /// <summary>Gets the number of item rows: one more than the highest row updated.</summary>
    public int ItemCount { get; private set; }

    /// <summary>Ranks an item for a user among all items known so far.</summary>
    /// <param name="user">Row of the user.</param>
    /// <param name="history">The user's items before the event, oldest first.</param>
    /// <param name="item">Row of the item.</param>
    /// <param name="excluded">Item rows excluded from the ranking, known or not; <paramref name="item"/> itself never is.</param>
    public TiedRank Rank(int user, ReadOnlySpan<int> history, int item, ReadOnlySpan<int> excluded)
    {
        if (!Knows(item))
        {
            return TiedRank.Missing;
        }

        Span<double> scores = _scores.AsSpan(0, ItemCount);
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

    /// <summary>Extends the item rows to <paramref name="count"/>.</summary>
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

    /// <summary>Scores all known items; an item never seen (a gap between rows) scores −∞.</summary>
    /// <param name="user">Row of the user.</param>
    /// <param name="history">The user's items before the event, oldest first.</param>
    /// <param name="scores">Out: [<see cref="ItemCount"/>].</param>
    protected internal abstract void Score(int user, ReadOnlySpan<int> history, Span<double> scores);

    /// <summary>Learns from an event; arrays are already large enough for the item.</summary>
    protected internal abstract void Learn(int user, ReadOnlySpan<int> history, int item);

    /// <summary>Grows the arrays for item rows below <paramref name="capacity"/>.</summary>
    protected internal abstract void GrowItems(int capacity);
}
