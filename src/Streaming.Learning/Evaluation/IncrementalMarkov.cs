namespace Streaming.Learning.Evaluation;

/// <summary>A first-order Markov chain: score(i) = n(h_0 → i) / n(h_0), h_0 the user's latest item.</summary>
/// <remarks>Memory grows with the number of distinct transitions.</remarks>
public sealed class IncrementalMarkov : StreamingBaseline
{
    private Dictionary<int, int>?[] _next = [];
    private int[] _counts = [];

    /// <inheritdoc/>
    public override string Name => "markov";

    /// <inheritdoc/>
    protected internal override bool Knows(int item) => item < ItemCount && _counts[item] > 0;

    /// <inheritdoc/>
    protected internal override void Score(int user, ReadOnlySpan<int> history, Span<double> scores)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = _counts[i] > 0 ? 0 : double.NegativeInfinity;
        }

        int latest = history.IsEmpty ? int.MaxValue : history[^1];
        if (latest < scores.Length && _next[latest] is { } next)
        {
            foreach ((int item, int times) in next)
            {
                scores[item] += (double)times / Math.Max(1, _counts[latest]);
            }
        }
    }

    /// <inheritdoc/>
    protected internal override void Learn(int user, ReadOnlySpan<int> history, int item)
    {
        _counts[item]++;
        if (!history.IsEmpty && history[^1] < ItemCount)
        {
            Dictionary<int, int> next = _next[history[^1]] ??= [];
            next[item] = next.GetValueOrDefault(item) + 1;
        }
    }

    /// <inheritdoc/>
    protected internal override void GrowItems(int capacity)
    {
        Array.Resize(ref _next, capacity);
        Array.Resize(ref _counts, capacity);
    }
}
