using System.Numerics;
using System.Runtime.InteropServices;

namespace Streaming.Kernels.Search;

/// <summary>The best k of the rows offered so far: a heap with the worst on top, so that rejecting a row costs one comparison,
/// vectorised over several rows. Among equal scores the lower row is better.</summary>
public ref struct BestRows
{
    private readonly Span<int> _rows;
    private readonly Span<float> _scores;

    /// <summary>Initializes a new instance of the <see cref="BestRows"/> struct, empty.</summary>
    /// <param name="rows">Room for the rows [k].</param>
    /// <param name="scores">Room for their scores [k].</param>
    /// <exception cref="ArgumentException">The lengths differ, or are 0.</exception>
    public BestRows(Span<int> rows, Span<float> scores)
    {
        if (rows.Length != scores.Length || rows.IsEmpty)
        {
            throw new ArgumentException(
                $"rows has length {rows.Length} and scores {scores.Length}; they must be equal and at least 1.",
                nameof(rows)
            );
        }

        _rows = rows;
        _scores = scores;
        Count = 0;
    }

    /// <summary>Gets the number of rows held, in no particular order.</summary>
    public int Count { get; private set; }

    /// <summary>Offers consecutive rows, each higher than those offered before.</summary>
    /// <param name="first">Number of the first row.</param>
    /// <param name="scores">Their scores. NaN is never among the best.</param>
    /// <param name="present">Whether a row is in use (not 0).</param>
    public void Offer(int first, scoped ReadOnlySpan<float> scores, scoped ReadOnlySpan<byte> present)
    {
        for (int row = Next(scores, 0); row < scores.Length; row = Next(scores, row + 1))
        {
            if (present[row] != 0)
            {
                Offer(first + row, scores[row]);
            }
        }
    }

    /// <summary>Finds the next row whose score may be among the best: all others need not be looked at.</summary>
    /// <param name="scores">The scores of consecutive rows.</param>
    /// <param name="from">Where to begin, 0 … their number.</param>
    /// <returns>Index of the score; the number of scores: there is none.</returns>
    public readonly int Next(scoped ReadOnlySpan<float> scores, int from) =>
        Count == _rows.Length ? NextAbove(scores, from, _scores[0]) : from;

    /// <summary>Offers a row higher than those offered before. NaN is never among the best.</summary>
    public void OfferOne(int row, float score) => Offer(row, score);

    private static int NextAbove(ReadOnlySpan<float> scores, int from, float least)
    {
        ref float start = ref MemoryMarshal.GetReference(scores);
        Vector<float> bound = new(least);
        for (; from <= scores.Length - Vector<float>.Count; from += Vector<float>.Count)
        {
            if (Vector.GreaterThanAny(Vector.LoadUnsafe(ref start, (nuint)from), bound))
            {
                break;
            }
        }

        while (from < scores.Length && !(scores[from] > least))
        {
            from++;
        }

        return from;
    }

    private void Offer(int row, float score)
    {
        if (Count < _rows.Length)
        {
            if (!float.IsNaN(score))
            {
                Rise(Count++, row, score);
            }
        }
        else if (score > _scores[0])
        {
            Sink(row, score);
        }
    }

    private readonly void Rise(int at, int row, float score)
    {
        while (at > 0)
        {
            int above = (at - 1) / 2;
            if (!IsWorse(score, row, above))
            {
                break;
            }

            (_rows[at], _scores[at]) = (_rows[above], _scores[above]);
            at = above;
        }

        (_rows[at], _scores[at]) = (row, score);
    }

    private readonly void Sink(int row, float score)
    {
        int at = 0;
        while ((2 * at) + 1 < Count)
        {
            int below = (2 * at) + 1;
            if (below + 1 < Count && IsWorse(_scores[below + 1], _rows[below + 1], below))
            {
                below++;
            }

            if (IsWorse(score, row, below))
            {
                break;
            }

            (_rows[at], _scores[at]) = (_rows[below], _scores[below]);
            at = below;
        }

        (_rows[at], _scores[at]) = (row, score);
    }

    private readonly bool IsWorse(float score, int row, int than) => score < _scores[than] || (score == _scores[than] && row > _rows[than]);
}
