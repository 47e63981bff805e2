using System.Runtime.InteropServices;
using Streaming.Core.Ingestion;
using Streaming.Kernels.Parallel;
using Streaming.Learning.Counts;
using Streaming.Learning.Drift;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>
/// Scores events before they are trained on: the model at every width, recent popularity, and the methods of
/// <see cref="SourceEvaluation"/>. The model's vectors are those of the previous batch; counting methods include every earlier
/// event.
/// </summary>
internal sealed class TrainerEvaluation : IDisposable
{
    private const int ReportedCutoff = 20;
    private static readonly long Day = (long)TimeSpan.FromDays(1).TotalMilliseconds;
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly TrainerOptions _options;
    private readonly TimeProvider _time;
    private readonly Workers? _workers;
    private readonly RecentPopularity _popularity;
    private readonly PagedArray<long> _firstEvents;
    private readonly List<int> _excluded = [];
    private readonly TiedRank[] _baselineRank = new TiedRank[1];
    private readonly int _cutoff;
    private readonly RankingShare _share;
    private readonly DriftDetector _drift;
    private CatalogueRanker? _ranker;
    private bool[] _isChosen = [];
    private bool _isTurn;
    private TimeSpan _elapsedBefore;
    private TimeSpan _encoding;

    public TrainerEvaluation(TrainingEngine engine, ItemTable items, ItemCounts counts, TrainerOptions options, TimeProvider time)
    {
        _engine = engine;
        _items = items;
        _options = options;
        _time = time;
        _popularity = new RecentPopularity(options.PopularityHalfLife);
        _firstEvents = new PagedArray<long>(items.Capacity);
        _cutoff = options.Evaluation.Cutoffs.MinBy(cutoff => Math.Abs(cutoff - ReportedCutoff));
        _workers = options.EvaluateEvery >= 0 && options.EvaluationThreads > 1 ? new Workers(options.EvaluationThreads) : null;
        _share = new RankingShare(options.Evaluation.MaxTimeShare, engine.Model.Seed);
        _drift = new DriftDetector(options.Drift);
        Model = new PrequentialEvaluator(engine.Model.Widths, options.Evaluation);
        Baseline = new PrequentialEvaluator([0], options.Evaluation);
        Sources = counts.IsOn ? new SourceEvaluation(counts, items, engine.Model.Widths, options.Evaluation) : null;
    }

    public PrequentialEvaluator Model { get; }

    public PrequentialEvaluator Baseline { get; }

    /// <summary>Gets the counting methods; null when counting is off.</summary>
    public SourceEvaluation? Sources { get; }

    /// <summary>Gets or sets a value indicating whether the current events come after an artificial drift.</summary>
    public bool IsAfterDrift { get; set; }

    /// <summary>Gets how often a drift was detected, since the stream's beginning.</summary>
    public long RecallDrops => _drift.Detections;

    /// <summary>Gets the time spent scoring.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Gets the share of the examples that is ranked, averaged over the last batches, 0 … 1.</summary>
    public double Share => _options.EvaluateEvery < 0 ? 0 : _share.Recent;

    /// <summary>Ranks examples of a batch by the current model: those that are due for evaluation.</summary>
    public void Begin(Batch batch, long step, TrainReport report)
    {
        (_elapsedBefore, _encoding) = (Elapsed, TimeSpan.Zero);
        _isTurn = Choose(batch, step);
        if (!_isTurn)
        {
            return;
        }

        long begun = _time.GetTimestamp();
        if (_ranker is null || _ranker.Capacity < batch.Capacity)
        {
            _ranker = new CatalogueRanker(
                _engine,
                _items,
                batch.Capacity,
                batch.HistoryLength,
                _workers,
                keepTop: Sources is not null,
                _time
            );
        }

        _ranker.Rank(batch, _share.Chosen);
        _encoding = _ranker.Encoding;
        report.BeginRanks(batch.Count, _share.Chosen.Count);
        Elapsed += _time.GetElapsedTime(begun);
    }

    /// <summary>Tells how long the trainer took for the batch, evaluation included.</summary>
    /// <remarks>Ranks must draw the same examples, so the times of rank 0 count.</remarks>
    public void End(TimeSpan batch)
    {
        Span<double> seconds = [batch.TotalSeconds, _encoding.TotalSeconds, (Elapsed - _elapsedBefore - _encoding).TotalSeconds];
        _engine.Ranks.Broadcast(seconds, root: 0);
        _share.Measure(seconds[0], seconds[1], seconds[2]);
    }

    /// <summary>Scores an example of the batch if it is due; call before anything is learned from it.</summary>
    public void Score(Batch batch, int example, TrainReport report)
    {
        if (!_isTurn || !_isChosen[example])
        {
            return;
        }

        long begun = _time.GetTimestamp();
        var kind = new ExampleKind(batch.IsRepeat[example], batch.IsKnownUser[example], IsFirstDay(batch, example), IsAfterDrift);
        ReadOnlySpan<TiedRank> ranks = _ranker!.Ranks(example);
        Model.Record(ranks, kind, _share.Drawn);
        report.SetRank(example, ranks[^1]);
        for (int k = 0; k < ranks.Length; k++)
        {
            report.MutableRecall[k] += DiscountTable.HitProbability(ranks[k], _cutoff) / _share.Chosen.Count;
        }

        if (_drift.Record(batch.UserKeys[example], DiscountTable.HitProbability(ranks[^1], _cutoff), out RecallDrop drop))
        {
            report.RecallDrop = drop;
        }

        _baselineRank[0] = PopularityRank(batch, example);
        Baseline.Record(_baselineRank, kind, _share.Drawn);
        Sources?.Score(batch.History(example), batch.ItemKeys[example], _ranker.Top(example), kind, _share.Drawn);
        Elapsed += _time.GetElapsedTime(begun);
    }

    /// <summary>Counts an event of the item, scored or not.</summary>
    public void Learn(int row, long eventTime)
    {
        _popularity.Update(0, [], row);
        if (_firstEvents[row] == 0)
        {
            _firstEvents.Change(row) = eventTime;
        }
    }

    /// <summary>Clears a row that is given to another item.</summary>
    public void Forget(int row)
    {
        _popularity.Forget(row);
        _firstEvents.Change(row) = 0;
    }

    public void Save(TensorSet tensors)
    {
        Save(
            tensors,
            "evaluation",
            writer =>
            {
                Model.Write(writer);
                Baseline.Write(writer);
            }
        );
        if (Sources is { } sources)
        {
            Save(tensors, "evaluation.sources", sources.Write);
        }

        _drift.Save(tensors);
        _popularity.Save(tensors);
        tensors.Share("evaluation.first_events", _firstEvents, _items.HighWater);
    }

    public void Load(TensorReader tensors)
    {
        Load(
            tensors,
            "evaluation",
            reader =>
            {
                Model.Read(reader);
                Baseline.Read(reader);
            }
        );
        if (Sources is { } sources && tensors.Has("evaluation.sources"))
        {
            Load(tensors, "evaluation.sources", sources.Read);
        }

        _drift.Load(tensors);
        _popularity.Load(tensors, _items.Capacity);
        _firstEvents.Data.Clear();
        if (tensors.Has("evaluation.first_events"))
        {
            tensors.ReadArray<long>("evaluation.first_events", _items.Capacity).CopyTo(_firstEvents.Data);
        }
        else
        {
            // A state of an earlier version: no item is in its first day.
            _firstEvents.Data.Fill(1);
        }
    }

    /// <summary>Copies the popularity of items; metrics of the other model are not carried over.</summary>
    public void Adopt(TensorReader tensors, int[] oldRows)
    {
        _popularity.Adopt(tensors, oldRows);
        long[] first = tensors.Has("evaluation.first_events") ? tensors.ReadArray<long>("evaluation.first_events", Array.MaxLength) : [];
        for (int row = 0; row < oldRows.Length; row++)
        {
            _firstEvents.Change(row) =
                oldRows[row] < 0 ? 0
                : oldRows[row] < first.Length ? first[oldRows[row]]
                : 1;
        }
    }

    public void Dispose() => _workers?.Dispose();

    private static void Save(TensorSet tensors, string name, Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        write(writer);
        writer.Flush();
        tensors.Add<byte>(name, stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static void Load(TensorReader tensors, string name, Action<BinaryReader> read)
    {
        using var stream = new MemoryStream(tensors.ReadArray<byte>(name, Array.MaxLength));
        using var reader = new BinaryReader(stream);
        try
        {
            read(reader);
        }
        catch (EndOfStreamException exception)
        {
            throw new StateMismatchException($"The evaluation state is truncated: {exception.Message}");
        }
    }

    private bool Choose(Batch batch, long step)
    {
        int every = _options.EvaluateEvery;
        if (every < 0 || (every > 0 && step % every != 0))
        {
            return false;
        }

        if (every == 0)
        {
            _share.Take(batch.Count, step, batch.HasGrown);
        }
        else
        {
            _share.DrawAll(batch.Count, step);
        }

        if (_isChosen.Length < batch.Count)
        {
            _isChosen = new bool[batch.Capacity];
        }

        _isChosen.AsSpan().Clear();
        foreach (int example in _share.Chosen)
        {
            _isChosen[example] = true;
        }

        return _share.Chosen.Count > 0;
    }

    private bool IsFirstDay(Batch batch, int example)
    {
        int row = _items.Find(batch.ItemKeys[example]);
        return row < 0 || _firstEvents[row] == 0 || batch.EventTimes[example] - _firstEvents[row] < Day;
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
            foreach (ulong key in batch.History(example))
            {
                _excluded.Add(_items.Find(key));
            }
        }

        _excluded.RemoveAll(static excluded => excluded < 0);
        return _popularity.Rank(0, [], row, CollectionsMarshal.AsSpan(_excluded));
    }
}
