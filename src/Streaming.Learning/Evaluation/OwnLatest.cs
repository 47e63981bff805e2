namespace Streaming.Learning.Evaluation;

/// <summary>The user's own items, latest first; all others tie.</summary>
public sealed class OwnLatest : StreamingBaseline
{
    private bool[] _known = [];

    /// <inheritdoc/>
    public override string Name => "own-latest";

    /// <inheritdoc/>
    protected internal override bool Knows(int item) => item < ItemCount && _known[item];

    /// <inheritdoc/>
    protected internal override void Score(int user, ReadOnlySpan<int> history, Span<double> scores)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = _known[i] ? 0 : double.NegativeInfinity;
        }

        for (int p = 0; p < history.Length; p++)
        {
            // Later ones overwrite: an item's latest occurrence counts.
            if (history[p] < scores.Length && _known[history[p]])
            {
                scores[history[p]] = p + 1;
            }
        }
    }

    /// <inheritdoc/>
    protected internal override void Learn(int user, ReadOnlySpan<int> history, int item) => _known[item] = true;

    /// <inheritdoc/>
    protected internal override void GrowItems(int capacity) => Array.Resize(ref _known, capacity);
}
