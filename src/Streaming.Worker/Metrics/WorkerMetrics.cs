using System.Diagnostics.Metrics;
using System.Text.Json;
using Streaming.Core.Events;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Worker.Metrics;

/// <summary>
/// All metrics of the worker, with their units. What is counted is counted as it happens; what is a level is read when it is asked for.
/// </summary>
public sealed class WorkerMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streaming.Worker";

    private static readonly KeyValuePair<string, object?>[] PartTags =
    [
        .. Enum.GetNames<TrainerPart>().Select(static name => new KeyValuePair<string, object?>("part", name.ToLowerInvariant())),
    ];

    private static readonly KeyValuePair<string, object?>[] LegTags =
    [
        .. Enum.GetNames<FreshnessLeg>().Select(static name => new KeyValuePair<string, object?>("leg", name.ToLowerInvariant())),
    ];

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _examples;
    private readonly Counter<double> _trainerTime;
    private readonly Histogram<double> _step;
    private readonly Histogram<double> _legs;
    private readonly Histogram<double> _checkpointTime;
    private readonly Lock _gate = new();
    private Func<PipelineStatus> _status = static () => PipelineStatus.Empty;
    private EventCounts _events;
    private long _written;
    private long _failed;
    private long _notFinite;

    /// <summary>Creates the instruments.</summary>
    public WorkerMetrics()
    {
        Counter(
            "streaming.events",
            "{event}",
            "Records of the interactions topic by outcome: trained, history_only, shed (left out of training under overload), "
                + "dead_lettered, duplicate.",
            Events
        );
        _examples = _meter.CreateCounter<long>("streaming.examples", "{example}", "Examples of training steps by origin: new, replayed.");
        _trainerTime = _meter.CreateCounter<double>(
            "streaming.trainer.time",
            "s",
            "Time of the training thread by part: waiting (for a batch), scoring, assembly (counting, replay, negatives), step (the "
                + "engine), checkpoint (taking snapshots), publishing (collecting what events changed), upkeep (copying items that are "
                + "due)."
        );
        _step = _meter.CreateHistogram(
            "streaming.step.duration",
            "s",
            "Time of a batch: scoring, step, bookkeeping.",
            advice: Buckets(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
        );
        _legs = _meter.CreateHistogram(
            "streaming.freshness.leg.duration",
            "s",
            "Where the time of streaming.freshness goes within the worker, by leg: batching (until the batch of an event is full, or its "
                + "linger expired), queue (until the trainer takes the batch), training (scoring and step), handover (until what changed "
                + "is handed to the publisher). What is missing is reading from Kafka and writing to Redis.",
            advice: Buckets(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
        );
        Counter(
            "streaming.checkpoints",
            "{checkpoint}",
            "Checkpoints by outcome: written, failed.",
            () => [new(Volatile.Read(ref _written), Tag("outcome", "written")), new(Volatile.Read(ref _failed), Tag("outcome", "failed"))]
        );
        Counter(
            "streaming.steps.not_finite",
            "{step}",
            "Steps that were not applied because the loss or a gradient was not finite.",
            () => [new(Volatile.Read(ref _notFinite))]
        );
        _checkpointTime = _meter.CreateHistogram(
            "streaming.checkpoint.duration",
            "s",
            "Time that writing a checkpoint takes, in the background.",
            advice: Buckets(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
        );
        Gauge(
            "streaming.loss",
            null,
            "Loss of the last step by width.",
            static status => ByWidth(status, static (trainer, k) => k < trainer.Losses.Count ? trainer.Losses[k] : double.NaN)
        );
        Gauge(
            "streaming.recall",
            null,
            "Prequential Recall@20 over the last examples by width, all examples.",
            static status => ByWidth(status, static (trainer, k) => k < trainer.Recall.Count ? trainer.Recall[k].Recall : double.NaN)
        );
        Gauge(
            "streaming.recall.error",
            null,
            "Standard error of streaming.recall by width: what it may be off by chance, because of the examples of the window and because "
                + "only a share of them was ranked.",
            static status => ByWidth(status, static (trainer, k) => k < trainer.Recall.Count ? trainer.Recall[k].RecallError : double.NaN)
        );
        Gauge(
            "streaming.recall.new_items",
            null,
            "The same where the item was new to the user.",
            static status => ByWidth(status, static (trainer, k) => k < trainer.Recall.Count ? trainer.Recall[k].NewItems : double.NaN)
        );
        Gauge(
            "streaming.recall.popularity",
            null,
            "Prequential Recall@20 of recent popularity, the baseline.",
            static status => [new(status.Trainer.Popularity.Recall)]
        );
        Gauge(
            "streaming.recall.methods",
            null,
            "Prequential Recall@20 over the last examples of simple methods, of counts, and of both with the model (fused W), by "
                + "segment: all, new_items, repeats, new_users, first_day.",
            static status => status.Trainer.Sources.SelectMany(static source => BySegment(source))
        );
        Gauge(
            "streaming.evaluation.time",
            "s",
            "Time spent on scoring events before they are learned, since the start.",
            static status => [new(status.Trainer.EvaluationTime.TotalSeconds)]
        );
        Gauge(
            "streaming.evaluation.share",
            null,
            "Share of the events that are scored before they are learned, drawn at random: as many as "
                + "STREAMING__Training__Evaluation__MaxTimeShare allows.",
            static status => [new(status.Trainer.EvaluatedShare)]
        );
        Gauge(
            "streaming.recall.drops",
            "{drop}",
            "Sudden drops of recall since the stream's beginning. After each, replay starts over, and earlier counts weigh a tenth.",
            static status => [new(status.Trainer.RecallDrops)]
        );
        Gauge(
            "streaming.counts.size",
            "By",
            "Memory of the counts of co-occurrences and transitions.",
            static status => [new(status.Trainer.CountBytes)]
        );
        Gauge(
            "streaming.counts.lost",
            null,
            "Share of the counted weight that the bounded lists could not keep.",
            static status => [new(status.Trainer.CountsLost)]
        );
        Gauge(
            "streaming.steps",
            "{step}",
            "Training steps since the stream's beginning.",
            static status => [new(status.Trainer.Counters.Steps)]
        );
        Gauge(
            "streaming.gradient.norm",
            null,
            "Global gradient norm of the last step before clipping.",
            static status => [new(status.Trainer.GradientNorm)]
        );
        Gauge("streaming.items", "{item}", "Items that have a row.", static status => [new(status.Trainer.Items)]);
        Gauge(
            "streaming.item.changes",
            "{item}",
            "What happened to items since the stream's beginning: admitted, evicted_by_capacity, evicted_by_age, removed, "
                + "record_applied, record_rejected.",
            static status => ItemChanges(status.Trainer.ItemCounters)
        );
        Gauge(
            "streaming.items.without_features",
            "{record}",
            "Catalogue records since the stream's beginning that lacked a feature group, so that it is zeros: no values, or no text in "
                + "its fields.",
            static status =>
                status.Trainer.WithoutFeatures.Select(static missing => new Measurement<double>(
                    missing.Records,
                    Tag("group", missing.Group.Name)
                ))
        );
        Gauge(
            "streaming.bank.entries",
            "{entry}",
            "Entries of the memory bank: held, and in use.",
            static status => [new(status.Trainer.BankCount, Tag("kind", "held")), new(status.Trainer.BankEntries, Tag("kind", "used"))]
        );
        Gauge(
            "streaming.bank.staleness",
            null,
            "Staleness of bank entries by age, ‖stored − now‖² ÷ ‖now‖²: among the newest such share of the bank, and older than the "
                + "share before.",
            static status => Strata(status.Trainer.Staleness)
        );
        Gauge(
            "streaming.drift",
            null,
            "Drift of item embeddings over 1, 5 and 10 steps, relative to their norms.",
            static status =>
                status.Trainer.Drift.Select(static (drift, i) => new Measurement<double>(drift, Tag("steps", i == 0 ? 1 : i * 5)))
        );
        Gauge(
            "streaming.lag",
            "{record}",
            "Records that wait at the broker.",
            static status =>
                status.Source.Partitions.Select(static lag => new Measurement<double>(
                    lag.Records,
                    Tag("topic", lag.Topic),
                    Tag("partition", lag.Partition)
                ))
        );
        Gauge(
            "streaming.kafka.problem",
            null,
            "1 while something is wrong with Kafka, by what: unavailable, interactions_topic, items_topic, group, assignment, position, "
                + "dead_letters, rejected_events, rejected_items, registry; /health/ready has the details.",
            static status => Problems(status.Source)
        );
        Counter(
            "streaming.records.missing",
            "{record}",
            "Records that the broker had deleted before they were read, and that were skipped (STREAMING__Kafka__SkipMissing).",
            () => Status().Source.Missing.Select(static missing => new Measurement<long>(missing.Records, Tag("topic", missing.Topic)))
        );
        Counter(
            "streaming.dead_letters",
            "{record}",
            "Records that could not be used and went to the dead-letter topic, by topic and reason (the dead letter's header).",
            () =>
                Status()
                    .Source.Rejected.Select(static rejected => new Measurement<long>(
                        rejected.Records,
                        Tag("topic", rejected.Topic),
                        Tag("reason", rejected.Reason.ToString())
                    ))
        );
        Gauge(
            "streaming.records.skipped",
            "{record}",
            "Good records of the interactions topic that held no event since the start: deleted rows, tombstones, empty lists.",
            static status => [new(status.Skipped)]
        );
        Gauge(
            "streaming.events.unused",
            null,
            "Share of the last 1,000 events that were not learned from, by outcome: duplicate, history_only (late, or of a type with "
                + "weight 0), dead_lettered.",
            static status => Unused(status.Recent)
        );
        Gauge(
            "streaming.overloaded",
            null,
            "1 while a share of the events is not trained on because the trainer is too far behind.",
            static status => [new(status.Overloaded ? 1 : 0)]
        );
        Gauge(
            "streaming.refresh.pass",
            "s",
            "Time in which everything that moved in the catalogue is published once; 0 while nothing moves. Above "
                + "STREAMING__Training__Refresh__RefreshInterval, the catalogue is too large for that interval.",
            static status => [new(status.Trainer.RefreshPass.TotalSeconds)]
        );
        Gauge("streaming.refreshes.waiting", "{item}", "Embeddings that wait to be published.", static status => [new(status.Waiting)]);
        Gauge(
            "streaming.published",
            "{item}",
            "Embeddings by what became of them since the start: written, unchanged (the store held the same numbers: only the stamp was "
                + "renewed, and the expiry extended), removed, skipped, rejected, failed.",
            static status =>
                [
                    new(status.Published?.Written ?? 0, Tag("outcome", "written")),
                    new(status.Published?.Unchanged ?? 0, Tag("outcome", "unchanged")),
                    new(status.Published?.Removed ?? 0, Tag("outcome", "removed")),
                    new(status.Published?.Skipped ?? 0, Tag("outcome", "skipped")),
                    new(status.Published?.Rejected ?? 0, Tag("outcome", "rejected")),
                    new(status.Published?.Failed ?? 0, Tag("outcome", "failed")),
                ]
        );
        Gauge(
            "streaming.vectors.refused",
            "{item}",
            "Items whose newest vector cannot be stored in Redis, by reason: not_finite, too_large (for STREAMING__Redis__Element), "
                + "wrong_length, wrong_type (the item's key holds another type).",
            static status => status.Published is { } published ? Refused(published) : []
        );
        Gauge(
            "streaming.redis.evicting",
            "{server}",
            "Redis servers that may evict keys when they are full.",
            static status => [new(status.EvictingServers)]
        );
        Gauge(
            "streaming.histories.waiting",
            "{user}",
            "Users whose history waits to be published.",
            static status => [new(status.UsersWaiting)]
        );
        Gauge(
            "streaming.histories.published",
            "{user}",
            "Histories of users by what became of them since the start: written, skipped, rejected (a key of another type is in the "
                + "way), failed.",
            static status =>
                [
                    new(status.Users?.Written ?? 0, Tag("outcome", "written")),
                    new(status.Users?.Skipped ?? 0, Tag("outcome", "skipped")),
                    new(status.Users?.Rejected ?? 0, Tag("outcome", "rejected")),
                    new(status.Users?.Failed ?? 0, Tag("outcome", "failed")),
                ]
        );
        Gauge(
            "streaming.histories.freshness",
            "s",
            "Time from when a record was produced until it was visible in its user's history in Redis, over the last 30 to 60 s, by "
                + "percentile.",
            static status => Percentiles(status.Users)
        );
        Gauge(
            "streaming.freshness",
            "s",
            "Time from when an event was produced until the item that it touched was visible in Redis, over the last 30 to 60 s, by "
                + "percentile.",
            static status => Percentiles(status.Published)
        );
    }

    /// <summary>Says where levels are read.</summary>
    /// <param name="status">How the pipeline is.</param>
    public void Observe(Func<PipelineStatus> status) => Volatile.Write(ref _status, status);

    /// <summary>Reads the levels.</summary>
    public PipelineStatus Status() => Volatile.Read(ref _status)();

    /// <summary>Counts what became of records.</summary>
    public void RecordEvents(in EventCounts counts)
    {
        lock (_gate)
        {
            _events.Add(counts);
        }
    }

    /// <summary>Counts time of the training thread.</summary>
    /// <param name="part">What it was spent on.</param>
    /// <param name="time">How much.</param>
    public void RecordTrainerTime(TrainerPart part, TimeSpan time) => _trainerTime.Add(time.TotalSeconds, PartTags[(int)part]);

    /// <summary>Records how long a batch, or what it changed, took for a part of its way.</summary>
    public void RecordLeg(FreshnessLeg leg, TimeSpan time) => _legs.Record(time.TotalSeconds, LegTags[(int)leg]);

    /// <summary>Counts a step.</summary>
    public void RecordStep(TimeSpan duration, int examples, int replayed)
    {
        _step.Record(duration.TotalSeconds);
        Add(_examples, examples, "origin", "new");
        Add(_examples, replayed, "origin", "replayed");
    }

    /// <summary>Counts a step that was not applied because the loss or a gradient was not finite.</summary>
    public void RecordStepNotFinite() => Interlocked.Increment(ref _notFinite);

    /// <summary>Counts a checkpoint.</summary>
    public void RecordCheckpoint(TimeSpan duration, bool succeeded)
    {
        Interlocked.Increment(ref succeeded ? ref _written : ref _failed);
        if (succeeded)
        {
            _checkpointTime.Record(duration.TotalSeconds);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> Events()
    {
        EventCounts counts;
        lock (_gate)
        {
            counts = _events;
        }

        return
        [
            new(counts.Trained, Tag("outcome", "trained")),
            new(counts.HistoryOnly - counts.Shed, Tag("outcome", "history_only")),
            new(counts.Shed, Tag("outcome", "shed")),
            new(counts.DeadLettered, Tag("outcome", "dead_lettered")),
            new(counts.Duplicates, Tag("outcome", "duplicate")),
        ];
    }

    private static IEnumerable<Measurement<double>> Refused(PublishMetrics published) =>
        Enum.GetValues<VectorFault>().Select(fault => new Measurement<double>(published.Refused.Count(fault), Tag("reason", Snake(fault))));

    private static string Snake<T>(T name)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(name.ToString());

    private static IEnumerable<Measurement<double>> Unused(EventCounts recent) =>
        recent.Read == 0
            ? []
            :
            [
                new((double)recent.Duplicates / recent.Read, Tag("outcome", "duplicate")),
                new((double)(recent.HistoryOnly - recent.Shed) / recent.Read, Tag("outcome", "history_only")),
                new((double)recent.DeadLettered / recent.Read, Tag("outcome", "dead_lettered")),
            ];

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);

    private static InstrumentAdvice<double> Buckets(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };

    private static void Add(Counter<long> counter, long count, string tag, string value)
    {
        if (count > 0)
        {
            counter.Add(count, Tag(tag, value));
        }
    }

    private static IEnumerable<Measurement<double>> Problems(Transport.Kafka.KafkaSourceStatus source) =>
        Enum.GetValues<Transport.Kafka.Health.KafkaProblem>()
            .Select(kind => new Measurement<double>(
                source.Problems.Any(problem => problem.Kind == kind) ? 1 : 0,
                Tag("problem", Snake(kind))
            ));

    private static IEnumerable<Measurement<double>> BySegment(Learning.Training.SourceRecall source)
    {
        Learning.Training.SegmentRecall recall = source.Recall;
        (string Segment, double Value)[] values =
        [
            ("all", recall.Recall),
            ("new_items", recall.NewItems),
            ("repeats", recall.Repeats),
            ("new_users", recall.NewUsers),
            ("first_day", recall.FirstDay),
        ];
        return values.Select(value => new Measurement<double>(value.Value, Tag("method", source.Name), Tag("segment", value.Segment)));
    }

    private static IEnumerable<Measurement<double>> ByWidth(PipelineStatus status, Func<Learning.Training.TrainerStatus, int, double> value)
    {
        for (int k = 0; k < status.Trainer.Widths.Count; k++)
        {
            yield return new Measurement<double>(value(status.Trainer, k), Tag("width", status.Trainer.Widths[k]));
        }
    }

    private static IEnumerable<Measurement<double>> Percentiles(PublishMetrics? published) =>
        published is null || published.RecentFreshness.Count == 0
            ? []
            :
            [
                new(published.RecentFreshness.Quantile(0.5) / 1000, Tag("percentile", "50")),
                new(published.RecentFreshness.Quantile(0.99) / 1000, Tag("percentile", "99")),
            ];

    private static IEnumerable<Measurement<double>> Strata(IReadOnlyList<double> staleness) =>
        staleness.Select(
            (value, stratum) =>
                new Measurement<double>(
                    value,
                    Tag("share", stratum == staleness.Count - 1 ? "1" : $"1/{1 << (staleness.Count - 1 - stratum)}")
                )
        );

    private static IEnumerable<Measurement<double>> ItemChanges(Learning.Items.ItemTableCounters items) =>
        [
            new(items.Admitted, Tag("outcome", "admitted")),
            new(items.EvictedByCapacity, Tag("outcome", "evicted_by_capacity")),
            new(items.EvictedByAge, Tag("outcome", "evicted_by_age")),
            new(items.Removed, Tag("outcome", "removed")),
            new(items.RecordsApplied, Tag("outcome", "record_applied")),
            new(items.RecordsRejected, Tag("outcome", "record_rejected")),
        ];

    // Before there is a pipeline, nothing: a zero would look like a fall, and what a checkpoint restores like a rise.
    private void Gauge(string name, string? unit, string description, Func<PipelineStatus, IEnumerable<Measurement<double>>> read) =>
        _meter.CreateObservableGauge(
            name,
            () => Status() is var status && ReferenceEquals(status, PipelineStatus.Empty) ? [] : read(status),
            unit,
            description
        );

    // Observed, so that each series is there from the start with 0: Prometheus sees no increase in a series that begins with 1.
    private void Counter(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableCounter(name, read, unit, description);
}
