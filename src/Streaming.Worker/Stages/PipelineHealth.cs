using System.Globalization;
using Microsoft.Extensions.Logging;
using Streaming.Learning.Items;
using Streaming.Learning.Training;
using Streaming.Transport.Kafka;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Health;

namespace Streaming.Worker.Stages;

/// <summary>Reports the state of every part of a pipeline: whether the worker does anything useful now. One caller at a time.</summary>
internal sealed class PipelineHealth
{
    private static readonly TimeSpan RefreshSlack = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    private readonly HealthReport _health;
    private readonly PipelineOptions _options;
    private readonly string _topic;
    private readonly string _items;
    private readonly OverloadWatch _load;
    private readonly PartWatch _events;
    private readonly PartWatch _catalogue;
    private readonly PartWatch _refresh;
    private readonly PartWatch _trainer;
    private readonly PartWatch _keys;
    private readonly PartWatch _vectors;
    private readonly CatalogueCheck _catalogueCheck;
    private readonly TimeSpan _refreshInterval;
    private readonly TimeProvider _time;
    private readonly StallCheck _stall;
    private readonly RecentGrowth _badUsers;
    private long? _lastTrouble;

    /// <summary>Creates it.</summary>
    /// <param name="options">Limits for events and trainer.</param>
    /// <param name="topic">The topic of the events.</param>
    /// <param name="items">The topic of the catalogue.</param>
    /// <param name="itemCapacity">Rows of the item table.</param>
    /// <param name="refreshInterval">How often every item is to be refreshed.</param>
    /// <param name="health">Receives the reports.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Receives what no other part logs.</param>
    public PipelineHealth(
        PipelineOptions options,
        string topic,
        string items,
        int itemCapacity,
        TimeSpan refreshInterval,
        HealthReport health,
        TimeProvider time,
        ILogger logger
    )
    {
        _options = options;
        _topic = topic;
        _items = items;
        _load = new OverloadWatch(options.OverloadShare, health, logger);
        _health = health;
        _events = new PartWatch("events", HealthLevel.Degraded, health, logger);
        _catalogue = new PartWatch("catalogue", HealthLevel.Degraded, health, logger);
        _refreshInterval = refreshInterval;
        _time = time;
        _refresh = new PartWatch("refresh", HealthLevel.Degraded, health, logger);
        _trainer = new PartWatch("trainer", HealthLevel.NotReady, health, logger);
        _keys = new PartWatch("redis keys", HealthLevel.Degraded, health, logger);
        _vectors = new PartWatch("vectors", HealthLevel.Degraded, health, logger);
        _catalogueCheck = new CatalogueCheck(itemCapacity, time);
        _stall = new StallCheck(options.StallTimeout, time);
        _badUsers = new RecentGrowth(Recent, time);
    }

    /// <summary>Updates every part.</summary>
    /// <param name="source">The consumer.</param>
    /// <param name="trainer">The trainer.</param>
    /// <param name="training">The training stage.</param>
    /// <param name="store">Publishing.</param>
    /// <param name="checkpointFailed">Whether the last checkpoint could not be written.</param>
    /// <param name="overloaded">Whether events are being skipped; null: they never are.</param>
    public void Update(
        KafkaSourceStatus source,
        TrainerStatus trainer,
        TrainingStage training,
        StorePublishing store,
        bool checkpointFailed,
        bool? overloaded
    )
    {
        Kafka(source);
        Redis(store.Embeddings, store.Users);
        Vectors(store.Embeddings.Metrics.Refused);
        Keys(store.Embeddings.Metrics, store.Users.Metrics, store.Servers.Problem, store.Generation?.Problem ?? string.Empty);
        Events(training.Mix);
        Catalogue(
            trainer.ItemCounters,
            source.Rejected.Where(rejected => rejected.Topic == _items).Sum(static rejected => rejected.Records),
            trainer.WithoutFeatures
        );
        Refresh(trainer.Items, trainer.RefreshPass, store.Embeddings is { Token: > 0, Metrics.Degraded: false });
        Trainer(training.Batches, training.HasWaiting || (source.Lag > 0 && !source.IsDegraded));
        Checkpoints(checkpointFailed);
        if (overloaded is { } isOverloaded)
        {
            _load.Set(isOverloaded, source.Lag);
        }
    }

    /// <summary>Reports Kafka: not ready while no partition of the events is read, because nothing is learned then.</summary>
    public void Kafka(KafkaSourceStatus source)
    {
        bool reads = source.Partitions.Any(partition => partition.Topic == _topic);
        string problem =
            source.IsDegraded || reads ? source.Problem
            : source is { IsCatalogueRead: false, Partitions.Count: > 0 }
                ? FormattableString.Invariant($"the catalogue is read first: {source.Lag} records are left")
            : $"no partition of topic '{_topic}' is assigned yet";
        _health.Set(
            "kafka",
            !reads ? HealthLevel.NotReady
                : source.IsDegraded ? HealthLevel.Degraded
                : HealthLevel.Healthy,
            problem
        );
    }

    /// <summary>Reports publishing.</summary>
    public void Redis(EmbeddingPublisher embeddings, UserHistoryPublisher users)
    {
        string problem =
            embeddings.Token == 0 ? "not opened yet"
            : embeddings.Metrics.Degraded ? Because("cannot store embeddings", embeddings.Metrics.Reason)
            : users.Metrics.Degraded ? Because("cannot store user histories", users.Metrics.Reason)
            : string.Empty;
        _health.Set("redis", problem.Length == 0 ? HealthLevel.Healthy : HealthLevel.Degraded, problem);
    }

    /// <summary>Reports vectors that cannot be stored.</summary>
    public void Vectors(RefusedVectors refused) =>
        _vectors.Set(
            Together(
                refused.Describe(VectorFault.NotFinite),
                refused.Describe(VectorFault.TooLarge),
                refused.Describe(VectorFault.WrongLength)
            )
        );

    /// <summary>Reports problems with single keys.</summary>
    /// <param name="embeddings">Counters of the embeddings.</param>
    /// <param name="users">Counters of the histories.</param>
    /// <param name="others">Problems of the pointer, the layout record and the towers; empty: none.</param>
    public void Keys(PublishMetrics embeddings, PublishMetrics users, params ReadOnlySpan<string> others) =>
        _keys.Set(
            Together([
                .. others,
                embeddings.Refused.Describe(VectorFault.WrongType),
                _badUsers.Update(users.Rejected)
                    ? $"{users.Rejected} histories could not be stored since the start: their keys hold another type; see the log"
                    : string.Empty,
            ])
        );

    /// <summary>Reports whether events are trained on.</summary>
    public void Events(EventMix mix) => _events.Set(mix.Problem(_options.MaxUnusedShare));

    /// <summary>Reports the catalogue.</summary>
    public void Catalogue(in ItemTableCounters items, long rejected, IReadOnlyList<MissingFeatures> missing) =>
        _catalogue.Set(_catalogueCheck.Update(items, rejected, missing));

    /// <summary>Reports whether the catalogue is refreshed as often as asked for. What Redis does not take is not the catalogue's
    /// size: nothing is reported until two intervals after it was last in trouble.</summary>
    /// <param name="items">Items of the catalogue.</param>
    /// <param name="pass">How long a pass over them takes.</param>
    /// <param name="isTaken">Whether Redis takes writes.</param>
    public void Refresh(int items, TimeSpan pass, bool isTaken)
    {
        TimeSpan most = (1.5 * _refreshInterval) + RefreshSlack;
        _lastTrouble = isTaken ? _lastTrouble : _time.GetTimestamp();
        bool isLate = pass > most && (_lastTrouble is not { } trouble || _time.GetElapsedTime(trouble) > most + _refreshInterval);
        _refresh.Set(
            !isLate
                ? string.Empty
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"refreshing {items} items takes {pass.TotalSeconds:0} s; STREAMING__Training__Refresh__RefreshInterval is "
                        + $"{_refreshInterval.TotalSeconds:0.###} s. Raise it, or STREAMING__Training__Refresh__MaxTimeShare"
                )
        );
    }

    /// <summary>Reports whether training makes progress.</summary>
    /// <param name="batches">Batches finished so far.</param>
    /// <param name="waiting">Whether there is work for the trainer.</param>
    public void Trainer(long batches, bool waiting) => _trainer.Set(_stall.Update(batches, waiting));

    /// <summary>Reports checkpoints.</summary>
    public void Checkpoints(bool failed) =>
        _health.Set(
            "checkpoints",
            failed ? HealthLevel.Degraded : HealthLevel.Healthy,
            failed ? "the last one could not be written" : string.Empty
        );

    private static string Together(params ReadOnlySpan<string> problems)
    {
        List<string> some = [.. problems];
        some.RemoveAll(static problem => problem.Length == 0);
        return string.Join("; ", some);
    }

    private static string Because(string what, string reason) => reason.Length == 0 ? what : $"{what}: {reason}";
}
