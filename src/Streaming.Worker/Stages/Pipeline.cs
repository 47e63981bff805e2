using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Refreshes;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Engine;
using Streaming.Learning.Training;
using Streaming.Learning.WarmStarts;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Generations;
using Streaming.Worker.Health;
using Streaming.Worker.Metrics;
using StreamPosition = Streaming.Core.Positions.StreamPosition;

namespace Streaming.Worker.Stages;

/// <summary>
/// One life of the worker: read, train, publish, side by side, from the newest checkpoint on. Reading hands batches to
/// training, training hands embeddings to publishing, both bounded.
/// </summary>
public sealed class Pipeline : IDisposable
{
    private readonly StageOptions _settings;
    private readonly WorkerMetrics _metrics;
    private readonly HealthReport _health;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TrainingEngine _engine;
    private readonly Trainer _trainer;
    private readonly Batcher _batcher;
    private readonly KafkaSource _source;
    private readonly TrainingStage _training;
    private readonly RefreshOutbox _outbox = new();
    private readonly EmbeddingPublisher _publisher;
    private readonly HistoryFeed? _histories;
    private readonly LoadShedding? _shedding;
    private readonly UserHistoryPublisher _userPublisher;
    private readonly StoreWatch _watch;
    private readonly PipelineHealth _parts;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CheckpointSchedule? _checkpoints;
    private readonly GenerationStage _generation;
    private readonly RunPlan _plan;
    private readonly uint _token;
    private readonly Func<Exception, bool> _isReturn;
    private readonly HistoryStore _historyStore;
    private readonly IReadOnlyList<UserHistoryBatch> _replaced;
    private bool _wasOverloaded;

    /// <summary>Builds the stages and restores their state. Nothing is read or written before <see cref="RunAsync"/>.</summary>
    /// <param name="settings">The options of all stages.</param>
    /// <param name="plan">The generation, and what it starts from.</param>
    /// <param name="redis">The serving tier's store.</param>
    /// <param name="fence">Fencing token of this life: every write carries it, and one with a smaller token is refused from now on.</param>
    /// <param name="metrics">Counters.</param>
    /// <param name="health">Told how the parts are.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Log.</param>
    /// <param name="engines">Makes the engine; null: the one of the settings.</param>
    /// <param name="returned">What the life before leaves, when this one returns to its last checkpoint; null: there was none in this
    /// process.</param>
    /// <param name="isReturn">Whether a failure leads to another such return, which is announced by whoever runs it; null: none
    /// does.</param>
    /// <exception cref="StateMismatchException">The newest checkpoint, or the one to start from, does not fit the settings.</exception>
    /// <exception cref="InputFileException">There is nothing to start from where the plan says.</exception>
    public Pipeline(
        StageOptions settings,
        RunPlan plan,
        IDatabase redis,
        CheckpointFence fence,
        WorkerMetrics metrics,
        HealthReport health,
        TimeProvider time,
        ILoggerFactory loggers,
        Func<TrainingEngine>? engines = null,
        PipelineReturn? returned = null,
        Func<Exception, bool>? isReturn = null
    )
    {
        _settings = settings;
        _plan = plan;
        _token = fence.Token;
        _isReturn = isReturn ?? (static _ => false);
        _metrics = metrics;
        _health = health;
        _time = time;
        _logger = loggers.CreateLogger<Pipeline>();
        ModelOptions model = settings.Model;
        _engine = engines?.Invoke() ?? EngineFactory.Create(model, settings.Engine);
        _trainer = new Trainer(_engine, settings.Training);

        CheckpointOptions keep = settings.Checkpoint;
        CheckpointStore? store =
            keep.Folder.Length == 0
                ? null
                : new CheckpointStore(
                    keep.Folder,
                    keep.Keep,
                    time,
                    warning => PipelineLog.CheckpointWarning(_logger, warning),
                    fence,
                    plan.Generation,
                    CheckpointFolder.OwnerOf(settings)
                );
        (IngestState state, IReadOnlyList<StreamPosition> positions) = Restore(store, model);
        PipelineOptions options = settings.Pipeline;
        BatcherOptions batching = settings.Batching;
        KafkaOptions kafka = ConsumerGroup.Apply(settings);
        var pool = new BatchPool(batching.BatchSize, state.Histories.Length, options.BatchQueue + 3);
        var batches = Channel.CreateBounded<Batch>(
            new BoundedChannelOptions(options.BatchQueue) { SingleReader = true, SingleWriter = true }
        );
        RedisOptions publishing = settings.Redis;
        _histories =
            publishing.UserItems == 0
                ? null
                : new HistoryFeed(state.Histories, publishing.UserItems, settings.History.MaxUsers, options.PublishInterval, time);
        _historyStore = state.Histories;
        _replaced =
            returned is null || _histories is null
                ? []
                : HistoryDifferences.Between(returned.Histories, state.Histories, publishing.UserItems);
        _shedding =
            options.Overload == OverloadMode.Wait
                ? null
                : new LoadShedding(options.OverloadLag, options.OverloadAfter, options.OverloadShare, time);
        _batcher = new Batcher(
            batching,
            settings.Events.ToRules(time),
            state,
            KafkaSource.CreatePositions(kafka, positions),
            pool,
            time,
            _histories,
            _shedding
        );
        _source = new KafkaSource(kafka, ItemLimitsOf(model), _batcher, batches.Writer, time, loggers.CreateLogger<KafkaSource>())
        {
            OldEnds = returned?.OldEnds ?? [],
        };
        _checkpoints = store is null
            ? null
            : new CheckpointSchedule(store, keep.Interval, _batcher, _source.Commit, metrics, time, _logger);
        _generation = new GenerationStage(redis, publishing, Switching(settings), model.Widths, plan, fence.Token, time, _logger);
        _training = new TrainingStage(_trainer, batches.Reader, pool, _outbox, _checkpoints, _generation, options, metrics, time, _logger);
        _training.RestoreCounts(state.Totals);
        _publisher = new EmbeddingPublisher(redis, publishing, model.Widths, time, OnIncident) { ClaimsPointer = !plan.IsNext };
        _userPublisher = new UserHistoryPublisher(redis, publishing, time, OnIncident, plan.Generation);
        _watch = new StoreWatch(_publisher, new StoreServers(redis.Multiplexer), health, time, _logger);
        _parts = new PipelineHealth(options, kafka.InteractionsTopic, model.ItemCapacity, health, time, _logger);
        metrics.Observe(Status);
    }

    /// <summary>Gets the trainer: to be read when the pipeline has ended.</summary>
    public Trainer Trainer => _trainer;

    /// <summary>How it is now. Any thread.</summary>
    public PipelineStatus Status() =>
        new(
            _training.Counts,
            _trainer.Metrics.Read(),
            _source.Status,
            _publisher.Metrics,
            _outbox.Count,
            _userPublisher.Metrics,
            _histories?.Waiting ?? 0,
            _shedding?.IsActive == true,
            _watch.Evicting,
            _source.Skipped,
            _training.Mix.Recent
        );

    /// <summary>What a life that returns to the last checkpoint has to know of this one, which has ended.</summary>
    /// <param name="oldEnds">Where topics ended that were deleted while they were read.</param>
    public PipelineReturn Leave(IReadOnlyList<StreamPosition> oldEnds) =>
        new(oldEnds, _histories is null ? new Dictionary<ulong, HistoryAge>() : HistoryDifferences.Ages(_historyStore));

    /// <summary>Runs until told to stop, or until a stage fails.</summary>
    /// <param name="stopping">Reads no more; what was read is trained, published and kept.</param>
    /// <param name="abort">Ends everything as it stands.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        using var stages = new StageGroup(OnFailure, abort);
        using var giveUp = new CancellationTokenSource();
        using CancellationTokenRegistration draining = stopping.Register(() =>
        {
            PipelineLog.Draining(_logger);
            giveUp.CancelAfter(_settings.Pipeline.ShutdownTimeout / 4);
        });
        LogStart();
        Task reading = stages.Start("source", failed => _source.RunAsync(stopping, failed, giveUp.Token));
        Task training = stages.Start("trainer", _training.RunAsync);
        Action embeddingsLeft = () => PipelineLog.LeftUnpublished(_logger, _outbox.Count);
        _ = stages.Start("publisher", failed => PublishAsync(training, OpenAndPublishAsync, embeddingsLeft, failed));
        _ = stages.Start("tower publisher", failed => PublishAsync(training, _generation.RunAsync, embeddingsLeft, failed));
        if (_histories is { } histories)
        {
            Action historiesLeft = () => PipelineLog.HistoriesUnpublished(_logger, histories.Waiting);
            _ = stages.Start(
                "publisher of histories",
                failed => PublishAsync(reading, stop => PublishHistoriesAsync(histories, reading, stop), historiesLeft, failed)
            );
        }

        await using ITimer watch = _time.CreateTimer(_ => UpdateHealth(), null, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        using var ended = new CancellationTokenSource();
        Task watching = WatchStoreAsync(ended.Token);
        try
        {
            await stages.WaitAsync().ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_checkpoints?.Failed == true)
        {
            throw new CheckpointNotWrittenException(_settings.Checkpoint.Folder);
        }

        PipelineLog.Stopped(_logger, _trainer.Counters.Steps, _trainer.Counters.EventsTrained, _publisher.Metrics.Written);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // First: a checkpoint in the making reads from both.
        _checkpoints?.Dispose();
        _trainer.Dispose();
        _engine.Dispose();
        _outbox.Dispose();
    }

    // No more events are measured than the window has.
    private static GenerationOptions Switching(StageOptions settings) =>
        settings.Generation with
        {
            MinExamples = Math.Min(settings.Generation.MinExamples, settings.Training.Evaluation.Window),
        };

    private static ItemLimits ItemLimitsOf(ModelOptions model) =>
        new() { FeatureGroups = model.FeatureGroups.ToDictionary(group => group.Name, group => group.Length, StringComparer.Ordinal) };

    private (IngestState State, IReadOnlyList<StreamPosition> Positions) Restore(CheckpointStore? store, ModelOptions model)
    {
        HistoryOptions histories = _settings.History;
        histories = histories with { Length = Math.Max(histories.Length, model.HistoryLength) };
        DedupOptions dedup = _settings.Dedup;
        if (store?.FindNewest() is { } own)
        {
            if (_plan is { From: { } aside, Whole: true })
            {
                PipelineLog.FromLeftAside(_logger, aside);
            }

            RestoreTo(own);
            IngestState kept = ReadIngest(own, histories, dedup);
            PipelineLog.Restored(_logger, own.FolderPath, own.Manifest.Sequence, kept.Totals.Read);
            return (kept, own.Manifest.Positions);
        }

        if (_plan.From is not { } from)
        {
            PipelineLog.Beginning(_logger, store is null ? "(none)" : _settings.Checkpoint.Folder);
            return (new IngestState(histories, dedup), []);
        }

        Checkpoint other = CheckpointSource.Open(from);
        IngestState state = ReadIngest(other, histories, dedup);
        WarmStart start = other.AdoptTo(_trainer, _plan.Whole, state.NextSequence - 1);
        PipelineLog.Adopted(_logger, other.FolderPath, start.ToString());

        // Features that the old model had no use for were not kept: the catalogue is read again from its beginning.
        bool again = !other.Model.FeatureGroups.SequenceEqual(model.FeatureGroups);
        return (state, [.. other.Manifest.Positions.Where(position => !again || position.Topic != _settings.Kafka.ItemsTopic)]);
    }

    private static IngestState ReadIngest(Checkpoint checkpoint, HistoryOptions histories, DedupOptions dedup)
    {
        using Stream? ingest = checkpoint.OpenIngest();
        return ingest is null ? new IngestState(histories, dedup) : IngestState.Read(ingest, histories, dedup);
    }

    private void RestoreTo(Checkpoint checkpoint)
    {
        try
        {
            checkpoint.RestoreTo(_trainer);
        }
        catch (StateMismatchException exception)
        {
            throw new StateMismatchException(
                $"{exception.Message} `streaming run --generation {_plan.Generation + 1}` begins one with these settings beside it, "
                    + "from this checkpoint."
            );
        }
    }

    /// <summary>
    /// Publishes until all is. When draining, a store that is away is not waited for beyond half of the time there is: the
    /// checkpoint has everything, and all is published again after the next start.
    /// </summary>
    /// <param name="upstream">Completes when nothing more will come.</param>
    /// <param name="publish">Publishes until there is no more.</param>
    /// <param name="left">Told when something is left behind.</param>
    /// <param name="abort">Ends it at once.</param>
    private async Task PublishAsync(Task upstream, Func<CancellationToken, Task> publish, Action left, CancellationToken abort)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(abort);
        Task publishing = publish(limit.Token);
        if (await Task.WhenAny(upstream, publishing).ConfigureAwait(false) == upstream && !abort.IsCancellationRequested)
        {
            limit.CancelAfter(_settings.Pipeline.ShutdownTimeout / 2);
        }

        try
        {
            await publishing.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!abort.IsCancellationRequested)
        {
            left();
        }
    }

    private async Task OpenAndPublishAsync(CancellationToken cancellationToken)
    {
        StoreState found = await OpenAsync(cancellationToken).ConfigureAwait(false);
        if (found != StoreState.Kept)
        {
            _training.RefreshAll();
        }

        // What the life before did not come to publish is not known here. A history that is in the store costs no write.
        _histories?.TouchAll();
        _opened.SetResult();
        await _publisher.RunAsync(_outbox, cancellationToken).ConfigureAwait(false);
    }

    private async Task PublishHistoriesAsync(HistoryFeed histories, Task reading, CancellationToken cancellationToken)
    {
        await _opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _userPublisher.ReplaceAsync(_replaced, _token, cancellationToken).ConfigureAwait(false);
        Task publishing = _userPublisher.RunAsync(histories, _token, cancellationToken);
        if (await Task.WhenAny(reading, publishing).ConfigureAwait(false) == reading)
        {
            histories.Complete();
        }

        await publishing.ConfigureAwait(false);
    }

    private async Task WatchStoreAsync(CancellationToken ended)
    {
        await _opened.Task.WaitAsync(ended).ConfigureAwait(false);
        await _watch.RunAsync(ended).ConfigureAwait(false);
    }

    /// <summary>Opens the store; one that is away is waited for, while training goes on.</summary>
    private async Task<StoreState> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await _publisher.OpenAsync(_plan.Generation, _token, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (EmbeddingPublisher.IsOutage(exception))
            {
                string reason = RedisConnection.FirstWords(exception.Message);
                PipelineLog.PublishIncident(_logger, "Redis is away; waiting for it.", _outbox.Count, reason);
                _health.Set("redis", HealthLevel.Degraded, $"away: {reason}");
                await Task.Delay(TimeSpan.FromSeconds(1), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // What is returned from is no failure: whoever runs this says so in its own words.
    private void OnFailure(string stage, Exception exception)
    {
        if (_isReturn(exception))
        {
            return;
        }

        // What is expected is one line; a defect shows its stack.
        (ExitCode code, string message) = Failure.Explain(exception);
        if (code == ExitCode.Failure && exception is not OutOfMemoryException)
        {
            PipelineLog.StageFailed(_logger, stage, exception);
        }
        else
        {
            PipelineLog.StageEnded(_logger, stage, message);
        }
    }

    private void OnIncident(PublishIncident incident)
    {
        if (incident.Kind is PublishIncidentKind.StoreEmpty or PublishIncidentKind.WritesLost)
        {
            _training.RefreshAll();
            _histories?.TouchAll();
        }

        if (incident.Kind == PublishIncidentKind.Recovered)
        {
            PipelineLog.PublishRecovered(_logger, incident.Message, incident.Items);
        }
        else
        {
            PipelineLog.PublishIncident(
                _logger,
                incident.Message,
                incident.Items,
                incident.Error is { } error ? RedisConnection.FirstWords(error.Message) : string.Empty
            );
        }
    }

    private void UpdateHealth()
    {
        KafkaSourceStatus source = _source.Status;

        // Asked for each second, so that a scrape finds a picture of now.
        TrainerStatus trainer = _trainer.Metrics.Read();
        _parts.Kafka(source);
        _parts.Redis(_publisher, _userPublisher);
        _parts.Vectors(_publisher.Metrics.Refused);
        _parts.Keys(_publisher.Metrics, _userPublisher.Metrics, _watch.Problem, _generation.Problem);
        _parts.Events(_training.Mix);
        _parts.Catalogue(
            trainer.ItemCounters,
            source.Rejected.Where(rejected => rejected.Topic == _settings.Kafka.ItemsTopic).Sum(static rejected => rejected.Records)
        );
        _parts.Trainer(_training.Batches, _training.HasWaiting || (source.Lag > 0 && !source.IsDegraded));
        _parts.Checkpoints(_checkpoints?.Failed == true);
        if (_shedding is not null)
        {
            WatchOverload();
        }
    }

    private void WatchOverload()
    {
        bool overloaded = _shedding?.IsActive == true;
        double share = _settings.Pipeline.OverloadShare;
        _health.Set(
            "load",
            overloaded ? HealthLevel.Degraded : HealthLevel.Healthy,
            overloaded ? FormattableString.Invariant($"too far behind, {share:0.##} of the events are not trained on") : string.Empty
        );
        if (overloaded != _wasOverloaded)
        {
            _wasOverloaded = overloaded;
            Action<ILogger, long, double> log = overloaded ? PipelineLog.Overloaded : PipelineLog.CaughtUp;
            log(_logger, _source.Status.Lag, share);
        }
    }

    private void LogStart()
    {
        ModelOptions model = _settings.Model;
        PipelineLog.Starting(
            _logger,
            model.Tower.ToString(),
            string.Join(',', model.Widths),
            model.Loss.ToString(),
            _engine.Description,
            model.BankCapacity,
            _settings.Batching.BatchSize
        );
    }
}
