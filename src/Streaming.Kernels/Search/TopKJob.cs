namespace Streaming.Kernels.Search;

/// <summary>A search and its counts.</summary>
internal ref struct TopKJob
{
    public TopKProblem Problem;
    public int Queries;
    public int Items;

    /// <summary>Whether a row of the catalogue is an item.</summary>
    public readonly bool IsPresent(int item) => Problem.Present.IsEmpty || Problem.Present[item] != 0;

    /// <summary>Factor of an item's score.</summary>
    public readonly float Scale(int item) => Problem.Scales.IsEmpty ? 1f : Problem.Scales[item];

    /// <summary>Inserts an item if it is among the best; rows are offered in increasing order.</summary>
    public readonly void Offer(int query, int item, float score)
    {
        Span<float> scores = Problem.Scores.Slice(query * Problem.Count, Problem.Count);
        Span<int> rows = Problem.Rows.Slice(query * Problem.Count, Problem.Count);
        int at = scores.Length;
        while (at > 0 && score > scores[at - 1])
        {
            at--;
        }

        if (at < scores.Length)
        {
            scores[at..^1].CopyTo(scores[(at + 1)..]);
            rows[at..^1].CopyTo(rows[(at + 1)..]);
            scores[at] = score;
            rows[at] = item;
        }
    }
}
