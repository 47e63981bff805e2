namespace Streaming.Learning.Evaluation;

/// <summary>
/// Item-to-item collaborative filtering by cosine of co-occurrence, updated event by event:
/// score(i) = Σ_p decay^p · n(h_p, i) / √(n(h_p) · n(i)), h_0 the user's latest item, n the counts of events and of pairs
/// of an event with one of the user's latest items.
/// </summary>
/// <remarks>A simple and strong baseline: a sequence model that loses to it has not learned the stream. Memory grows with the
/// number of distinct pairs, at most the window's length per event.</remarks>
public sealed class IncrementalItemKnn : StreamingBaseline
{
    private readonly int _window;
    private readonly double _decay;
    private Dictionary<int, int>?[] _pairs = [];
    private int[] _counts = [];

    /// <summary>Creates a baseline without items.</summary>
    /// <param name="window">Number of the user's latest items used for co-occurrence and score, 1 and up.</param>
    /// <param name="decay">Weight of an item relative to the next one, above 0, at most 1.</param>
    public IncrementalItemKnn(int window = 10, double decay = 0.8)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(decay);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(decay, 1);
        _window = window;
        _decay = decay;
    }

    /// <inheritdoc/>
    public override string Name => "item-knn";

    /// <inheritdoc/>
    protected internal override bool Knows(int item) => item < ItemCount && _counts[item] > 0;

    /// <inheritdoc/>
    protected internal override void Score(int user, ReadOnlySpan<int> history, Span<double> scores)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = _counts[i] > 0 ? 0 : double.NegativeInfinity;
        }

        double weight = 1;
        for (int p = history.Length - 1; p >= Math.Max(0, history.Length - _window); p--, weight *= _decay)
        {
            int seen = history[p];
            if (seen >= scores.Length || _pairs[seen] is not { } neighbours)
            {
                continue;
            }

            // A history may contain an item without a previous event here (a late one): its count is 0.
            double scale = weight / Math.Sqrt(Math.Max(1, _counts[seen]));
            foreach ((int item, int together) in neighbours)
            {
                scores[item] += scale * together / Math.Sqrt(Math.Max(1, _counts[item]));
            }
        }
    }

    /// <inheritdoc/>
    protected internal override void Learn(int user, ReadOnlySpan<int> history, int item)
    {
        _counts[item]++;
        foreach (int seen in history[Math.Max(0, history.Length - _window)..])
        {
            if (seen != item && seen < ItemCount)
            {
                Count(seen, item);
                Count(item, seen);
            }
        }
    }

    /// <inheritdoc/>
    protected internal override void GrowItems(int capacity)
    {
        Array.Resize(ref _pairs, capacity);
        Array.Resize(ref _counts, capacity);
    }

    private void Count(int from, int to)
    {
        Dictionary<int, int> neighbours = _pairs[from] ??= [];
        neighbours[to] = neighbours.GetValueOrDefault(to) + 1;
    }
}
