using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;
using Streaming.Models.State;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Readers;
using Streaming.Worker.Failures;
using Streaming.Worker.Health;
using Streaming.Worker.Metrics;
using StreamPosition = Streaming.Core.Positions.StreamPosition;

namespace Streaming.Worker.Stages;

/// <summary>
/// One life of the worker: reads, trains and publishes concurrently, starting from the newest checkpoint. Reading hands batches to
/// training, training hands embeddings to publishing, both through bounded queues.
/// </summary>
public sealed class Pipeline : IDisposable
{
    private readonly StageOptions _settings;
    private readonly PipelineState _state;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KafkaSource _source;
    private readonly TrainingStage _training;
    private readonly StorePublishing _store;
    private readonly CatalogueUpkeep _upkeep;
    private readonly LoadShedding? _shedding;
    private readonly CheckpointSchedule? _checkpoints;
    private readonly RankedCheckpoints? _rankedCheckpoints;
    private readonly RankedSource? _rankedSource;
    private readonly RankedLoop? _ranks;
    private readonly PipelineHealth _parts;
    private readonly Func<Exception, bool>? _isReturn;

    private Pipeline(
        StageOptions settings,
        RunPlan plan,
        IDatabase redis,
        uint token,
        CheckpointStore? keeps,
        PipelineState state,
        WorkerMetrics metrics,
        HealthReport health,
        TimeProvider time,
        ILoggerFactory loggers,
        PipelineReturn? returned,
        Func<Exception, bool>? isReturn,
        Collective ranks,
        CancellationToken stopping
    )
    {
        _settings = settings;
        _state = state;
        _time = time;
        _logger = loggers.CreateLogger<Pipeline>();
        _isReturn = isReturn;
        PipelineOptions options = settings.Pipeline;
        KafkaOptions kafka = ConsumerGroup.Apply(settings);
        kafka = ranks.Size > 1 ? kafka with { Assignment = KafkaAssignment.Static } : kafka;
        IngestState ingest = state.Ingest;
        var pool = new BatchPool(settings.Batching.Capacity, ingest.Histories.Length, options.BatchQueue + 3);
        var batches = Channel.CreateBounded<Batch>(
            new BoundedChannelOptions(options.BatchQueue) { SingleReader = true, SingleWriter = true }
        );
        _store = new StorePublishing(
            settings,
            plan,
            redis,
            token,
            ingest.Histories,
            returned,
            RefreshAll,
            health,
            time,
            _logger,
            publishesTowers: ranks.Rank == 0
        );
        _shedding =
            options.Overload == OverloadMode.Wait
                ? null
                : new LoadShedding(options.OverloadLag, options.OverloadAfter, options.OverloadShare, time);
        var batcher = new Batcher(
            settings.Batching,
            settings.Events.ToRules(time),
            ingest,
            KafkaSource.CreatePositions(kafka, state.Positions),
            pool,
            time,
            _store.Histories,
            _shedding,
            settings.Batching.IsRepeatable ? null : () => batches.Reader.Count > 0
        );
        _source = new KafkaSource(kafka, ItemLimitsOf(settings), batcher, batches.Writer, time, loggers.CreateLogger<KafkaSource>())
        {
            OldEnds = returned?.OldEnds ?? [],
            Share = new PartitionShare(ranks.Rank, ranks.Size),
        };
        if (ranks.Size > 1)
        {
            _rankedSource = new RankedSource(() => _source.Status.IsCatalogueRead, () => _source.IsCutShort, stopping);
            _rankedCheckpoints = new RankedCheckpoints(
                ranks,
                keeps,
                settings.Checkpoint.Interval,
                batcher,
                ingest.Share,
                _source.Commit,
                metrics,
                time,
                _logger
            );
            _ranks = new RankedLoop(
                ranks,
                batches.Reader,
                pool,
                settings.Batching.Capacity,
                ingest.Histories.Length,
                _rankedSource,
                _rankedCheckpoints,
                () => _store.Histories?.TouchAll()
            );
        }
        else if (keeps is not null)
        {
            _checkpoints = new CheckpointSchedule(keeps, settings.Checkpoint.Interval, batcher, _source.Commit, metrics, time, _logger);
        }

        _upkeep = new CatalogueUpkeep(state.Trainer, _store.Outbox, settings, time);
        _training = new TrainingStage(
            state.Trainer,
            batches.Reader,
            pool,
            _store.Outbox,
            _upkeep,
            _checkpoints,
            _ranks,
            _store.Generation,
            _store.Traces,
            options,
            metrics,
            time,
            _logger
        );
        _training.RestoreCounts(ingest.Totals);
        _parts = new PipelineHealth(
            options,
            kafka.InteractionsTopic,
            kafka.ItemsTopic,
            settings.Model.ItemCapacity,
            settings.Training.Refresh.RefreshInterval,
            health,
            time,
            _logger
        );
    }

    /// <summary>Gets the trainer: to be read once the pipeline has ended.</summary>
    public Trainer Trainer => _state.Trainer;

    /// <summary>Gets a value indicating whether all ranks have begun to train. Any thread.</summary>
    public bool AreRanksRunning => _ranks?.IsRunning == true;

    /// <summary>Restores the state and builds the stages. Neither Kafka nor Redis is contacted before <see cref="RunAsync"/>.</summary>
    /// <param name="settings">The options of all stages.</param>
    /// <param name="plan">The generation, and what it starts from.</param>
    /// <param name="redis">The serving tier's store.</param>
    /// <param name="fence">Fencing token of this life: every write carries it, and the store refuses writes with a smaller one from then
    /// on.</param>
    /// <param name="metrics">Counters; they report this pipeline from now on.</param>
    /// <param name="health">Receives the state of each part.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Log.</param>
    /// <param name="engines">Creates the engine; null: the one of the settings.</param>
    /// <param name="returned">What the previous life left, when this one returns to its last checkpoint; null: there was none in this
    /// process.</param>
    /// <param name="isReturn">Whether a failure leads to another such return, which the caller logs; null: none does.</param>
    /// <param name="ranks">The ranks that train the model together; null: this process alone.</param>
    /// <param name="stopping">With many ranks: the token that <see cref="RunAsync"/> will be given.</param>
    /// <exception cref="StateMismatchException">The newest checkpoint, or the one to start from, does not fit the settings.</exception>
    /// <exception cref="InputFileException">The checkpoint to start from does not exist or is damaged.</exception>
    public static Pipeline Open(
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
        Func<Exception, bool>? isReturn = null,
        Collective? ranks = null,
        CancellationToken stopping = default
    )
    {
        ranks ??= new SoloCollective();
        ILogger logger = loggers.CreateLogger<Pipeline>();
        CheckpointStore? keeps = CheckpointFolder.StoreOf(settings, plan, fence, time, logger);
        var state = PipelineState.Restore(settings, plan, keeps, logger, engines, ranks);
        try
        {
            var pipeline = new Pipeline(
                settings,
                plan,
                redis,
                fence.Token,
                keeps,
                state,
                metrics,
                health,
                time,
                loggers,
                returned,
                isReturn,
                ranks,
                stopping
            );
            metrics.Observe(pipeline.Status);
            return pipeline;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>The current status. Any thread.</summary>
    public PipelineStatus Status() =>
        new(
            _training.Counts,
            Trainer.Metrics.Read(),
            _source.Status,
            _store.Embeddings.Metrics,
            _store.Outbox.Count,
            _store.Users.Metrics,
            _store.Histories?.Waiting ?? 0,
            _shedding?.IsActive == true,
            _store.Servers.Evicting,
            _source.Skipped,
            _training.Mix.Recent
        );

    /// <summary>What the next life, which returns to the last checkpoint, has to know of this one, which has ended.</summary>
    /// <param name="oldEnds">Where topics ended that were deleted while they were read.</param>
    public PipelineReturn Leave(IReadOnlyList<StreamPosition> oldEnds) => new(oldEnds, _store.HistoryAges());

    /// <summary>Runs until told to stop, or until a stage fails.</summary>
    /// <param name="stopping">Stops reading; what was read is trained, published and checkpointed.</param>
    /// <param name="abort">Stops everything at once.</param>
    /// <exception cref="CheckpointNotWrittenException">The last checkpoint could not be written.</exception>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        using var stages = new StageGroup(OnFailure, abort);
        using var giveUp = new CancellationTokenSource();
        using CancellationTokenRegistration draining = (_rankedSource?.Stopping ?? stopping).Register(() =>
        {
            PipelineLog.Draining(_logger);
            giveUp.CancelAfter(_settings.Pipeline.ShutdownTimeout / 4);
        });
        PipelineLog.Starting(_logger, _settings, _state.Engine);
        CancellationToken reads = _rankedSource?.Stopping ?? stopping;
        Task reading = stages.Start("source", failed => _source.RunAsync(reads, failed, giveUp.Token));
        Task training = stages.Start("trainer", _training.RunAsync);
        _ = stages.Start("catalogue upkeep", _upkeep.RunAsync);
        _store.Start(stages, reading, training);

        await using ITimer watch = _time.CreateTimer(_ => UpdateHealth(), null, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        using var ended = new CancellationTokenSource();
        Task watching = _store.WatchAsync(ended.Token);
        try
        {
            await stages.WaitAsync().ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (CheckpointFailed)
        {
            throw new CheckpointNotWrittenException(_settings.Checkpoint.Folder);
        }

        PipelineLog.Stopped(_logger, Trainer.Counters.Steps, Trainer.Counters.EventsTrained, _store.Embeddings.Metrics.Written);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // First: a checkpoint that is being written reads from both.
        _checkpoints?.Dispose();
        _rankedCheckpoints?.Dispose();
        _rankedSource?.Dispose();
        _upkeep.Dispose();
        _state.Dispose();
        _store.Dispose();
    }

    private static ItemLimits ItemLimitsOf(StageOptions settings) =>
        new()
        {
            FeatureGroups = settings
                .Model.FeatureGroups.Where(static group => !group.IsHashed)
                .ToDictionary(static group => group.Name, static group => group.Length, StringComparer.Ordinal),
            Categories = settings
                .Model.FeatureGroups.SelectMany(static group => group.Fields)
                .Where(static field => field.IsCategory)
                .Select(static field => field.Name)
                .ToHashSet(StringComparer.Ordinal),
            Attributes = settings.Items.Attributes,
        };

    private bool CheckpointFailed => _checkpoints?.Failed == true || _rankedCheckpoints?.Failed == true;

    private void RefreshAll() => _training.RefreshAll();

    private void OnFailure(string stage, Exception exception)
    {
        if (_isReturn?.Invoke(exception) != true)
        {
            StageFailure.Log(_logger, stage, exception);
        }
    }

    private void UpdateHealth() =>
        _parts.Update(_source.Status, Trainer.Metrics.Read(), _training, _store, CheckpointFailed, _shedding?.IsActive);
}
