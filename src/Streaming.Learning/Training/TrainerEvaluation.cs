using System.Runtime.InteropServices;
using Streaming.Core;
using Streaming.Kernels;

namespace Streaming.Learning;

/// <summary>Scores batches before they are trained on: the model at every width, and recent popularity beside it.</summary>
internal sealed class TrainerEvaluation : IDisposable
{
    /// <summary>Multiply-adds a batch that scoring may cost on average: about those of a small step.</summary>
    private const double Budget = 2e9;
    private const int ReportedCutoff = 20;
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly TrainerOptions _options;
    private readonly Workers? _workers;
    private readonly RecentPopularity _popularity;
    private readonly List<int> _excluded = [];
    private readonly TiedRank[] _baselineRank = new TiedRank[1];
    private readonly int _cutoff;
    private CatalogueRanker? _ranker;

    public TrainerEvaluation(TrainingEngine engine, ItemTable items, TrainerOptions options)
    {
        _engine = engine;
        _items = items;
        _options = options;
        _popularity = new RecentPopularity(options.PopularityHalfLife);
        _cutoff = options.Evaluation.Cutoffs.MinBy(cutoff => Math.Abs(cutoff - ReportedCutoff));
        _workers = options.EvaluateEvery >= 0 && options.EvaluationThreads > 1 ? new Workers(options.EvaluationThreads) : null;
        Model = new PrequentialEvaluator(engine.Model.Widths, options.Evaluation);
        Baseline = new PrequentialEvaluator([0], options.Evaluation);
    }

    public PrequentialEvaluator Model { get; }

    public PrequentialEvaluator Baseline { get; }

    /// <summary>Scores the examples of a batch, if it is this batch's turn.</summary>
    public void Score(Batch batch, long step, TrainReport report)
    {
        if (!IsTurn(batch, step))
        {
            return;
        }

        if (_ranker is null || _ranker.Capacity < batch.Capacity)
        {
            _ranker = new CatalogueRanker(_engine, _items, batch.Capacity, batch.HistoryLength, _workers);
        }

        _ranker.Rank(batch);
        for (int i = 0; i < batch.Count; i++)
        {
            ReadOnlySpan<TiedRank> ranks = _ranker.Ranks(i);
            Model.Record(ranks, batch.IsRepeat[i], batch.IsKnownUser[i]);
            for (int k = 0; k < ranks.Length; k++)
            {
                report.MutableRecall[k] += DiscountTable.HitProbability(ranks[k], _cutoff) / batch.Count;
            }

            _baselineRank[0] = PopularityRank(batch, i);
            Baseline.Record(_baselineRank, batch.IsRepeat[i], batch.IsKnownUser[i]);
        }

        report.Evaluated = batch.Count;
    }

    /// <summary>An event of the item: popularity counts all, whether they were scored or not.</summary>
    public void Learn(int row) => _popularity.Update(0, [], row);

    /// <summary>The row goes to another item.</summary>
    public void Forget(int row) => _popularity.Forget(row);

    public void Save(TensorSet tensors)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        {
            Model.Write(writer);
            Baseline.Write(writer);
            writer.Flush();
            tensors.Add<byte>("evaluation", stream.GetBuffer().AsSpan(0, (int)stream.Length));
        }

        _popularity.Save(tensors);
    }

    public void Load(TensorReader tensors)
    {
        using var stream = new MemoryStream(tensors.ReadArray<byte>("evaluation", Array.MaxLength));
        using var reader = new BinaryReader(stream);
        try
        {
            Model.Read(reader);
            Baseline.Read(reader);
        }
        catch (EndOfStreamException exception)
        {
            throw new StateMismatchException($"The evaluation's state ends early: {exception.Message}");
        }

        _popularity.Load(tensors, _items.Capacity);
    }

    /// <summary>Takes over the popularity of items; figures of another model are not this one's.</summary>
    public void Adopt(TensorReader tensors, int[] oldRows) => _popularity.Adopt(tensors, oldRows);

    public void Dispose() => _workers?.Dispose();

    /// <summary>Whole batches, not samples of each: encoding the catalogue costs the same for one example as for all.</summary>
    private bool IsTurn(Batch batch, long step)
    {
        if (_options.EvaluateEvery != 0)
        {
            return _options.EvaluateEvery > 0 && step % _options.EvaluateEvery == 0;
        }

        double work = (double)_items.Count * _engine.Model.Dimension * (batch.Capacity + _engine.Model.FeatureLength);
        return step % (long)Math.Ceiling(Math.Max(work / Budget, 1)) == 0;
    }

    private TiedRank PopularityRank(Batch batch, int example)
    {
        int row = _items.Find(batch.ItemKeys[example]);
        if (row < 0)
        {
            return TiedRank.Missing;
        }

        _excluded.Clear();
        if (!batch.IsRepeat[example])
        {
            foreach (ulong key in batch.HistoryItems.AsSpan(batch.HistoryOffsets[example]..batch.HistoryOffsets[example + 1]))
            {
                _excluded.Add(_items.Find(key));
            }
        }

        _excluded.RemoveAll(static excluded => excluded < 0);
        return _popularity.Rank(0, [], row, CollectionsMarshal.AsSpan(_excluded));
    }
}
