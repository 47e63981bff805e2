using Streaming.Kernels.Parallel;
using Streaming.Kernels.Search;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Training;
using Streaming.Models.Batches;

namespace Streaming.Lab.Backtest;

/// <summary>Ranks the targets of cases within the whole catalogue, at every width of a model.</summary>
internal sealed class CaseRanker : IDisposable
{
    private const int CasesAtATime = 256;
    private readonly TrainingEngine _engine;
    private readonly IReadOnlyList<int> _cutoffs;
    private readonly Workers _workers;
    private readonly NestedRanking _ranking;
    private readonly InterestRanking? _interests;
    private readonly int _userLength;
    private readonly float[] _catalogue;

    /// <summary>Creates a ranker.</summary>
    /// <param name="engine">The model; item rows 0 … <paramref name="itemCount"/> − 1.</param>
    /// <param name="itemCount">Number of items in the catalogue.</param>
    /// <param name="cutoffs">Cutoffs K of the metrics.</param>
    /// <param name="threads">Number of threads.</param>
    public CaseRanker(TrainingEngine engine, int itemCount, IReadOnlyList<int> cutoffs, int threads)
    {
        _engine = engine;
        _cutoffs = cutoffs;
        _workers = new Workers(threads);
        _ranking = new NestedRanking([.. engine.Model.Widths], _workers);
        _interests =
            engine.Model.VectorsPerUser > 1 ? new InterestRanking(engine.Model.Widths, engine.Model.VectorsPerUser, _workers) : null;
        _userLength = engine.Model.VectorsPerUser * engine.Model.Dimension;
        _catalogue = new float[itemCount * engine.Model.Dimension];
    }

    /// <summary>Ranks all cases with the model's current state.</summary>
    /// <param name="cases">The cases.</param>
    /// <param name="maskHistory">Whether to exclude the history's items from the ranking; a target among them is a miss.</param>
    /// <returns>Metrics of each width.</returns>
    public RankingMetrics[] Rank(RankingCases cases, bool maskHistory)
    {
        EncodeCatalogue();
        RankingMetrics[] metrics = [.. _engine.Model.Widths.Select(_ => new RankingMetrics(_cutoffs))];
        for (int first = 0; first < cases.Count; first += CasesAtATime)
        {
            RankChunk(cases, first, Math.Min(cases.Count, first + CasesAtATime), maskHistory, metrics);
        }

        return metrics;
    }

    /// <inheritdoc/>
    public void Dispose() => _workers.Dispose();

    private void EncodeCatalogue()
    {
        int dimension = _engine.Model.Dimension;
        int[] rows = [.. Enumerable.Range(0, _catalogue.Length / dimension)];
        const int RowsAtATime = 4096;
        for (int first = 0; first < rows.Length; first += RowsAtATime)
        {
            int count = Math.Min(RowsAtATime, rows.Length - first);
            _engine.EncodeItems(rows.AsSpan(first, count), _catalogue.AsSpan(first * dimension, count * dimension));
        }
    }

    private void RankChunk(RankingCases cases, int first, int end, bool maskHistory, RankingMetrics[] metrics)
    {
        int widths = metrics.Length;
        float[] vectors = EncodeUsers(cases, first, end);
        int rows = 0;
        for (int i = first; i < end; i++)
        {
            rows += cases.Targets[i].Length;
        }

        float[] users = new float[rows * _userLength];
        int[] targets = new int[rows];
        var excluded = new List<int>();
        int[] offsets = new int[rows + 1];
        for (int i = first, row = 0; i < end; i++)
        {
            foreach (int target in cases.Targets[i])
            {
                vectors.AsSpan((i - first) * _userLength, _userLength).CopyTo(users.AsSpan(row * _userLength));
                targets[row] = target;

                // Targets do not compete with each other: RankingMetrics accounts for the ranks they occupy.
                excluded.AddRange(cases.Targets[i]);
                excluded.AddRange(maskHistory ? cases.Histories[i] : []);
                offsets[++row] = excluded.Count;
            }
        }

        int[] above = new int[rows * widths];
        int[] ties = new int[rows * widths];
        var problem = new NestedRankingProblem
        {
            Users = users,
            Catalogue = _catalogue,
            Targets = targets,
            Excluded = excluded.ToArray(),
            ExcludedOffsets = offsets,
            Cosine = _engine.Model.Cosine,
            Above = above,
            Ties = ties,
        };
        if (_interests is null)
        {
            _ranking.Run(problem);
        }
        else
        {
            _interests.Run(problem);
        }

        Add(cases, first, end, maskHistory, above, ties, metrics);
    }

    private static void Add(RankingCases cases, int first, int end, bool maskHistory, int[] above, int[] ties, RankingMetrics[] metrics)
    {
        for (int i = first, row = 0; i < end; i++)
        {
            var ranks = new TiedRank[cases.Targets[i].Length];
            for (int width = 0; width < metrics.Length; width++)
            {
                for (int t = 0; t < ranks.Length; t++)
                {
                    int place = ((row + t) * metrics.Length) + width;
                    // A ranking without the history cannot contain an item of it.
                    ranks[t] =
                        maskHistory && cases.Histories[i].Contains(cases.Targets[i][t])
                            ? TiedRank.Missing
                            : new TiedRank(above[place], ties[place]);
                }

                metrics[width].Add(ranks);
            }

            row += ranks.Length;
        }
    }

    private float[] EncodeUsers(RankingCases cases, int first, int end)
    {
        int length = _engine.Model.HistoryLength;
        var rows = new List<int>();
        int[] offsets = new int[end - first + 1];
        for (int i = first; i < end; i++)
        {
            ReadOnlySpan<int> history = cases.Histories[i];
            rows.AddRange(history[Math.Max(0, history.Length - length)..]);
            offsets[i - first + 1] = rows.Count;
        }

        float[] vectors = new float[(end - first) * _userLength];
        _engine.EncodeUsers(new JaggedRows { Rows = rows.ToArray(), Offsets = offsets }, vectors);
        return vectors;
    }
}
