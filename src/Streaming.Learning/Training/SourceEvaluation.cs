using Streaming.Core.Embeddings;
using Streaming.Learning.Counts;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// Evaluates simple methods, and the gain from adding counts to the model, on the same examples: item-kNN, first-order Markov,
/// their sum (each over its maximum), the user's own latest items, the counts as one list, and that list fused with the model's.
/// </summary>
/// <remarks>
/// Each ranks as a serving tier would just before the event: counts include every earlier event, vectors are those of the previous
/// batch, whose best 256 form a list. When the item is new to the user, the user's items are in no list; for a repeat they are,
/// and the user's own latest items are another list. Lists are fused by reciprocal ranks, 1 / (40 + rank), with half the weight
/// for transitions; an item in no list scores 0.
/// </remarks>
internal sealed class SourceEvaluation
{
    private const int Knn = 0,
        Markov = 1,
        KnnAndMarkov = 2,
        OwnLatest = 3,
        Counts = 4,
        Fused = 5;
    private readonly ItemCounts _counts;
    private readonly ItemTable _items;
    private readonly RowSet _excluded;
    private readonly SparseScores _neighbours;
    private readonly SparseScores _successors;
    private readonly SparseScores _own;
    private readonly SparseScores _vector;
    private readonly SparseScores _counted;
    private readonly SparseScores _fused;
    private readonly TiedRank[] _ranks;

    /// <summary>Creates the evaluation.</summary>
    /// <param name="counts">The counts.</param>
    /// <param name="items">Maps items to rows.</param>
    /// <param name="widths">Widths of the model whose lists are fused; none without a model.</param>
    /// <param name="options">What is measured.</param>
    public SourceEvaluation(ItemCounts counts, ItemTable items, IReadOnlyList<int> widths, PrequentialOptions options)
    {
        _counts = counts;
        _items = items;
        Names = [.. BaselineNames, "counts", .. widths.Select(static width => $"fused {width}")];
        Evaluator = new PrequentialEvaluator([.. Enumerable.Range(0, Names.Count)], options);
        _ranks = new TiedRank[Names.Count];
        int rows = items.Capacity;
        _excluded = new RowSet(rows);
        _neighbours = new SparseScores(rows);
        _successors = new SparseScores(rows);
        _own = new SparseScores(rows);
        _vector = new SparseScores(rows);
        _counted = new SparseScores(rows);
        _fused = new SparseScores(rows);
    }

    /// <summary>Gets the names of the simple methods, the first of <see cref="Names"/>.</summary>
    public static IReadOnlyList<string> BaselineNames { get; } = ["item-knn", "markov", "knn+markov", "own-latest"];

    /// <summary>Gets the names of what is measured, one for each "width" of <see cref="Evaluator"/>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Gets the metrics.</summary>
    public PrequentialEvaluator Evaluator { get; }

    /// <summary>Ranks the item of an event and records its rank.</summary>
    /// <param name="history">The user's items before the event, oldest first.</param>
    /// <param name="item">The item.</param>
    /// <param name="top">The model's best items at each width.</param>
    /// <param name="kind">Which segments the event belongs to.</param>
    /// <param name="draw">How the event was drawn.</param>
    public void Score(ReadOnlySpan<ulong> history, ulong item, ReadOnlySpan<TopItems> top, ExampleKind kind, Draw draw)
    {
        int row = _items.Find(item);
        if (row < 0)
        {
            _ranks.AsSpan().Fill(TiedRank.Missing);
        }
        else
        {
            Collect(history, kind.IsRepeat);
            Rank(row, top, kind.IsRepeat);
        }

        Evaluator.Record(_ranks, kind, draw);
    }

    private void Collect(ReadOnlySpan<ulong> history, bool isRepeat)
    {
        _excluded.Clear();
        foreach (ulong seen in history)
        {
            int row = isRepeat ? -1 : _items.Find(seen);
            if (row >= 0)
            {
                _excluded.Add(row);
            }
        }

        _neighbours.Clear();
        _successors.Clear();
        _own.Clear();
        CountScores.AddNeighbours(_counts, _items, history, _excluded, _neighbours);
        CountScores.AddSuccessors(_counts, _items, history, _excluded, _successors);
        CountScores.AddOwnLatest(_items, history, _excluded, _own);
    }

    private void Rank(int row, ReadOnlySpan<TopItems> top, bool isRepeat)
    {
        int competing = _items.Count - _excluded.Count;
        _ranks[Knn] = _neighbours.Rank(row, competing);
        _ranks[Markov] = _successors.Rank(row, competing);
        _ranks[OwnLatest] = _own.Rank(row, competing);
        _fused.Clear();
        _fused.AddOverMaximum(_neighbours);
        _fused.AddOverMaximum(_successors);
        _ranks[KnnAndMarkov] = _fused.Rank(row, competing);
        _counted.Clear();
        _counted.AddReciprocalRanks(_neighbours, 1, CountFusion.RankConstant);
        _counted.AddReciprocalRanks(_successors, CountFusion.SuccessorWeight, CountFusion.RankConstant);
        if (isRepeat)
        {
            _counted.AddReciprocalRanks(_own, 1, CountFusion.RankConstant);
        }

        _ranks[Counts] = _counted.Rank(row, competing);
        for (int k = 0; k < top.Length; k++)
        {
            _vector.Clear();
            top[k].AddTo(_vector, _items);
            _fused.Clear();
            _fused.Add(_counted, 1);
            _fused.AddReciprocalRanks(_vector, 1, CountFusion.RankConstant);
            _ranks[Fused + k] = _fused.Rank(row, competing);
        }
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(string.Join(',', Names));
        Evaluator.Write(writer);
    }

    /// <summary>Reads the metrics; starts over if they belong to other methods.</summary>
    public void Read(BinaryReader reader)
    {
        if (reader.ReadString() == string.Join(',', Names))
        {
            Evaluator.Read(reader);
        }
    }
}
