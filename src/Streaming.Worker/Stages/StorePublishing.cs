using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core.Histories;
using Streaming.Core.Refreshes;
using Streaming.Core.Tracing;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Generations;
using Streaming.Worker.Health;

namespace Streaming.Worker.Stages;

/// <summary>
/// The Redis side of a pipeline: opens the store, then publishes embeddings, user histories and towers next to each other, and watches
/// the servers. The constructor connects to nothing.
/// </summary>
internal sealed class StorePublishing : IDisposable
{
    private readonly StageOptions _settings;
    private readonly RunPlan _plan;
    private readonly uint _token;
    private readonly Action _refreshAll;
    private readonly HealthReport _health;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HistoryStore _historyStore;
    private readonly IReadOnlyList<UserHistoryBatch> _replaced;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Creates the stages.</summary>
    /// <param name="settings">The options of all stages.</param>
    /// <param name="plan">The generation to publish.</param>
    /// <param name="redis">The store.</param>
    /// <param name="token">Fencing token of all writes.</param>
    /// <param name="histories">The users' histories.</param>
    /// <param name="returned">What the previous life left; null: there was none in this process.</param>
    /// <param name="refreshAll">Requests that every embedding is published again; any thread.</param>
    /// <param name="health">Told that Redis is unavailable, and what the servers may evict.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <param name="publishesTowers">Whether to publish the generation's record and towers: of many ranks one does.</param>
    public StorePublishing(
        StageOptions settings,
        RunPlan plan,
        IDatabase redis,
        uint token,
        HistoryStore histories,
        PipelineReturn? returned,
        Action refreshAll,
        HealthReport health,
        TimeProvider time,
        ILogger logger,
        bool publishesTowers = true
    )
    {
        RedisOptions options = settings.Redis;
        IReadOnlyList<int> widths = settings.Model.Widths;
        _settings = settings;
        _plan = plan;
        _token = token;
        _refreshAll = refreshAll;
        _health = health;
        _time = time;
        _logger = logger;
        _historyStore = histories;
        bool publishesUsers = options.UserItems > 0;
        Histories = publishesUsers
            ? new HistoryFeed(histories, options.UserItems, settings.History.MaxUsers, settings.Pipeline.HistoryInterval, time)
            : null;
        _replaced =
            returned is not null && publishesUsers ? HistoryDifferences.Between(returned.Histories, histories, options.UserItems) : [];
        Embeddings = new EmbeddingPublisher(redis, options, widths, time, OnIncident)
        {
            ClaimsPointer = !plan.IsNext,
            UpkeepShare = settings.Training.Refresh.MaxTimeShare,
            Traces = Traces,
            PublishesFacts = settings.Items.Attributes.Count > 0,
        };
        Users = new UserHistoryPublisher(redis, options, time, OnIncident, plan.Generation);
        Generation = publishesTowers
            ? new GenerationStage(redis, options, SwitchingOf(settings), widths, settings.Items.Attributes, plan, token, time, logger)
            : null;
        Servers = new StoreWatch(Embeddings, new StoreServers(redis.Multiplexer), health, time, logger);
    }

    /// <summary>Gets the queue of changed embeddings.</summary>
    public RefreshOutbox Outbox { get; } = new();

    /// <summary>Gets the items whose next embedding ends a trace.</summary>
    public TracedItems Traces { get; } = new();

    /// <summary>Gets the queue of changed histories; null: they are not published.</summary>
    public HistoryFeed? Histories { get; }

    /// <summary>Gets the publisher of embeddings.</summary>
    public EmbeddingPublisher Embeddings { get; }

    /// <summary>Gets the publisher of histories.</summary>
    public UserHistoryPublisher Users { get; }

    /// <summary>Gets the publisher of the generation's record and towers; null: another rank publishes them.</summary>
    public GenerationStage? Generation { get; }

    /// <summary>Gets the watch over the servers.</summary>
    public StoreWatch Servers { get; }

    /// <summary>How far each history has come, for the life after this one; empty when they are not published.</summary>
    public IReadOnlyDictionary<ulong, HistoryAge> HistoryAges() =>
        Histories is null ? new Dictionary<ulong, HistoryAge>() : HistoryDifferences.Ages(_historyStore);

    /// <summary>Starts the publishing stages.</summary>
    /// <param name="stages">Runs them.</param>
    /// <param name="reading">Completes when no more histories change.</param>
    /// <param name="training">Completes when no more embeddings change.</param>
    public void Start(StageGroup stages, Task reading, Task training)
    {
        Action embeddingsLeft = () => PipelineLog.LeftUnpublished(_logger, Outbox.Count);
        Add("publisher", training, OpenAndPublishAsync, embeddingsLeft);
        if (Generation is { } generation)
        {
            Add("tower publisher", training, generation.RunAsync, embeddingsLeft);
        }

        if (Histories is { } histories)
        {
            Action historiesLeft = () => PipelineLog.HistoriesUnpublished(_logger, histories.Waiting);
            Add("history publisher", reading, stop => PublishHistoriesAsync(histories, reading, stop), historiesLeft);
        }

        void Add(string name, Task upstream, Func<CancellationToken, Task> publish, Action left) =>
            _ = stages.Start(name, abort => DrainLimit.RunAsync(upstream, publish, _settings.Pipeline.ShutdownTimeout / 2, left, abort));
    }

    /// <summary>Watches the servers, once the store is open.</summary>
    /// <param name="ended">Stops it.</param>
    public async Task WatchAsync(CancellationToken ended)
    {
        await _opened.Task.WaitAsync(ended).ConfigureAwait(false);
        await Servers.RunAsync(ended).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => Outbox.Dispose();

    // Recall is measured over at most the evaluation's window of events: requiring more would never switch.
    private static GenerationOptions SwitchingOf(StageOptions settings) =>
        settings.Generation with
        {
            MinExamples = Math.Min(settings.Generation.MinExamples, settings.Training.Evaluation.Window),
        };

    private async Task OpenAndPublishAsync(CancellationToken cancellationToken)
    {
        if (await OpenAsync(cancellationToken).ConfigureAwait(false) != StoreState.Kept)
        {
            _refreshAll();
        }

        // What the previous life left unpublished is not known here. A history that the store already has costs no write.
        Histories?.TouchAll();
        _opened.SetResult();
        await Embeddings.RunAsync(Outbox, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens the store, retrying while it is unavailable; training continues meanwhile.</summary>
    private async Task<StoreState> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await Embeddings.OpenAsync(_plan.Generation, _token, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (EmbeddingPublisher.IsOutage(exception))
            {
                // A command that finds no connection says only that it waited.
                string reason = await RedisConnection.DiagnoseAsync(_settings.Redis, exception, cancellationToken).ConfigureAwait(false);
                PipelineLog.PublishIncident(_logger, "Redis is unavailable; retrying until it answers.", Outbox.Count, reason);
                _health.Set("redis", HealthLevel.Degraded, $"unavailable: {reason}");
                await Task.Delay(TimeSpan.FromSeconds(1), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task PublishHistoriesAsync(HistoryFeed histories, Task reading, CancellationToken cancellationToken)
    {
        await _opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await Users.ReplaceAsync(_replaced, _token, cancellationToken).ConfigureAwait(false);
        Task publishing = Users.RunAsync(histories, _token, cancellationToken);
        if (await Task.WhenAny(reading, publishing).ConfigureAwait(false) == reading)
        {
            histories.Complete();
        }

        await publishing.ConfigureAwait(false);
    }

    private void OnIncident(PublishIncident incident)
    {
        if (incident.Kind is PublishIncidentKind.StoreEmpty or PublishIncidentKind.WritesLost)
        {
            _refreshAll();
            Histories?.TouchAll();
        }

        if (incident.Kind == PublishIncidentKind.Recovered)
        {
            PipelineLog.PublishRecovered(_logger, incident.Message, incident.Items);
        }
        else
        {
            string reason = incident.Error is { } error ? RedisConnection.FirstWords(error.Message) : string.Empty;
            PipelineLog.PublishIncident(_logger, incident.Message, incident.Items, reason);
        }
    }
}
