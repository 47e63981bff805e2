using System.Threading.Channels;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Stages;

/// <summary>
/// The rounds of a rank: tell the others what it has, decide as they do, merge the batches of all, train. The training thread; every
/// operation among the ranks is one of its rounds, so that all call them in the same order.
/// </summary>
internal sealed class RankedLoop
{
    // How long a rank waits for a batch of its own while none had one: bounds what an event waits for the others, and what idling costs.
    private static readonly TimeSpan IdleRound = TimeSpan.FromMilliseconds(5);

    private readonly Collective _ranks;
    private readonly ChannelReader<Batch> _input;
    private readonly BatchPool _pool;
    private readonly RankedCheckpoints _checkpoints;
    private readonly Action _touchHistories;
    private readonly RankedSource _source;
    private readonly BatchMerger _merger;
    private readonly Batch _merged;
    private readonly RankSignals[] _told;
    private readonly int[] _ones;
    private Task<bool>? _pending;
    private bool _readsEvents;
    private bool _isIdle;
    private bool _isRunning;
    private int _republishes;

    /// <summary>Creates the loop.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="input">This rank's batches.</param>
    /// <param name="pool">Where they go back to.</param>
    /// <param name="capacity">Largest number of examples of a rank's batch.</param>
    /// <param name="historyLength">Largest history of an example.</param>
    /// <param name="source">What this rank reads.</param>
    /// <param name="checkpoints">The checkpoints of the job.</param>
    /// <param name="touchHistories">Publishes every history of this rank again.</param>
    public RankedLoop(
        Collective ranks,
        ChannelReader<Batch> input,
        BatchPool pool,
        int capacity,
        int historyLength,
        RankedSource source,
        RankedCheckpoints checkpoints,
        Action touchHistories
    )
    {
        _touchHistories = touchHistories;
        _ranks = ranks;
        _input = input;
        _pool = pool;
        _source = source;
        _checkpoints = checkpoints;
        _merger = new BatchMerger(ranks);
        _merged = _merger.Create(capacity, historyLength);
        _told = new RankSignals[ranks.Size];
        _ones = [.. Enumerable.Repeat(1, ranks.Size)];
    }

    /// <summary>Gets a value indicating whether the ranks have begun: each has read its checkpoint. Any thread.</summary>
    public bool IsRunning => Volatile.Read(ref _isRunning);

    /// <summary>Tells all ranks that the store has lost data. Any thread.</summary>
    public void Republish() => Volatile.Write(ref _republishes, 1);

    /// <summary>Runs rounds until every rank is done.</summary>
    /// <param name="trainer">The trainer of this rank.</param>
    /// <param name="train">Trains on the merged batch, of which this rank read records with these outcomes.</param>
    /// <param name="between">Called between rounds.</param>
    /// <param name="republish">Publishes every embedding of this rank again.</param>
    /// <param name="clock">Counts the time.</param>
    /// <param name="freshness">Measures where events wait.</param>
    /// <param name="abort">Stops at once.</param>
    public void Run(
        Trainer trainer,
        Action<Batch, EventCounts> train,
        Action between,
        Action republish,
        TrainerClock clock,
        FreshnessClock freshness,
        CancellationToken abort
    )
    {
        Pace pace;
        do
        {
            abort.ThrowIfCancellationRequested();
            Batch? own = Take(abort);
            clock.Spent(TrainerPart.Waiting);
            pace = Agree(own);
            Follow(pace, republish);
            if (pace.Steps)
            {
                freshness.Taken(own);
                Step(own, trainer, train, clock);
            }

            _checkpoints.Follow(pace, trainer);
            clock.Spent(TrainerPart.Checkpoint);
            between();
            _isIdle = !pace.Steps;
            Volatile.Write(ref _isRunning, true);
        } while (!pace.Ends);
    }

    private void Step(Batch? own, Trainer trainer, Action<Batch, EventCounts> train, TrainerClock clock)
    {
        EventCounts counts = own?.Counts ?? default;
        _merger.Merge(own, _merged, trainer.Sequence + 1);
        _checkpoints.HandedOver(own, _merged);
        clock.Spent(TrainerPart.Ranks);
        train(_merged, counts);
        if (own is not null)
        {
            _pool.Return(own);
        }
    }

    private Pace Agree(Batch? own)
    {
        bool isAtEnd = own is null && _input.Completion.IsCompleted;
        RankSignals flags =
            (own is null ? RankSignals.None : RankSignals.HasBatch)
            | (_source.IsStopping ? RankSignals.Stops : RankSignals.None)
            | (isAtEnd ? RankSignals.IsAtEnd : RankSignals.None)
            | (_source.HasCatalogue || isAtEnd ? RankSignals.HasCatalogue : RankSignals.None)
            | (Interlocked.Exchange(ref _republishes, 0) == 1 ? RankSignals.Republishes : RankSignals.None)
            | _checkpoints.Flags(isAtEnd, isAtEnd && _source.IsCutShort);
        _ranks.Gather([flags], _told.AsSpan(), _ones);
        return Pace.Of(_told);
    }

    private void Follow(in Pace pace, Action republish)
    {
        if (pace.Republishes)
        {
            republish();
            _touchHistories();
        }

        _readsEvents = pace.ReadsEvents || pace.Stops;
        if (pace.Stops)
        {
            _source.Stop();
        }
    }

    /// <summary>The next batch of this rank; null: there is none now, or it has to wait for other ranks.</summary>
    private Batch? Take(CancellationToken abort)
    {
        bool waits = _checkpoints.HoldsSnapshot || (_source.HasCatalogue && !_readsEvents && !_source.IsStopping);
        if (!waits && _input.TryRead(out Batch? batch))
        {
            return batch;
        }

        if (!_isIdle)
        {
            return null;
        }

        if (waits || _input.Completion.IsCompleted)
        {
            abort.WaitHandle.WaitOne(IdleRound);
            return null;
        }

        // One waiting task at a time: a new one each round would pile up in the channel.
        _pending ??= _input.WaitToReadAsync(abort).AsTask();
        if (!_pending.Wait(IdleRound, abort))
        {
            return null;
        }

        _pending = null;
        return _input.TryRead(out batch) ? batch : null;
    }
}
