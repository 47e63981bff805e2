using Streaming.Core.Events;
using Streaming.Learning.Items;
using Streaming.Learning.Training;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Records;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Health;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>
/// Each alert of deploy/monitoring/alerts.yml fires while its state lasts, and no other does; none fires before and after. The meters
/// and health checks are the worker's, the rules are evaluated by Prometheus.
/// </summary>
[Collection(nameof(Alone))]
public sealed class AlertRulesTests
{
    private static readonly string[] PartsOfTheirOwn = ["lease", "load", "redis", "redis memory", "trial", "values"];

    /// <summary>One after the other: what one counts, the next ones find counted.</summary>
    private static readonly Case[] Cases =
    [
        .. Enum.GetValues<KafkaProblem>()
            .Select(kind => new Case(
                $"Kafka: {kind}",
                rig => rig.Status = WithSource(rig, source => source with { Problems = [(kind, "refused")] }),
                $"StreamingKafkaProblem{{problem=\"{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString())}\"}}"
            )),
        .. PartsOfTheirOwn.Select(part => new Case(
            $"{part} is degraded",
            rig => rig.Health.Set(part, HealthLevel.Degraded, "refused"),
            $"StreamingUnhealthy{{part=\"{part}\"}}"
        )),
        new(
            "a topic is refused, so no partition is read",
            rig =>
                rig.Status = WithSource(
                    rig,
                    source => source with { Partitions = [], Problems = [(KafkaProblem.InteractionsTopic, "refused")] }
                ),
            "StreamingKafkaProblem{problem=\"interactions_topic\"}"
        ),
        new(
            "dead letters are not delivered, so events wait",
            rig =>
            {
                rig.Flow = default;
                rig.Stalls = true;
                Lag(rig, 500);
                rig.Status = WithSource(rig, source => source with { Problems = [(KafkaProblem.DeadLetters, "refused")] });
            },
            "StreamingKafkaProblem{problem=\"dead_letters\"}"
        ),
        new(
            "no partition is assigned",
            rig => rig.Status = WithSource(rig, source => source with { Partitions = [] }),
            "StreamingNotReading{part=\"kafka\"}"
        ),
        new(
            "the catalogue is still read",
            rig =>
                rig.Status = WithSource(
                    rig,
                    source => source with { IsCatalogueRead = false, Partitions = [new PartitionLag(MeasuredStates.Items, 0, 9)] }
                ),
            "StreamingNotReading{part=\"kafka\"}"
        ),
        new(
            "events wait and none is learned from",
            rig =>
            {
                rig.Flow = new EventCounts { Read = 100, HistoryOnly = 100 };
                Lag(rig, 500);
            },
            "StreamingNotLearning",
            "StreamingEventsUnused"
        ),
        new(
            "records are missing",
            rig => rig.Happens = _ => rig.Status = WithSource(rig, source => source with { Missing = [Missing(source)] }),
            "StreamingRecordsMissing{topic=\"interactions\"}"
        ),
        new(
            "the embeddings are late",
            rig => rig.Happens = _ => rig.Status.Published!.RecordFreshness(TimeSpan.FromSeconds(45)),
            "StreamingStale"
        ),
        new(
            "2 % of the events are dead letters",
            rig =>
                rig.Flow = new EventCounts
                {
                    Read = 100,
                    Trained = 98,
                    DeadLettered = 2,
                },
            "StreamingDeadLetters"
        ),
        new(
            "most events are duplicates",
            rig =>
                rig.Flow = new EventCounts
                {
                    Read = 100,
                    Trained = 40,
                    Duplicates = 60,
                },
            "StreamingEventsUnused"
        ),
        new(
            "most events are late",
            rig =>
                rig.Flow = new EventCounts
                {
                    Read = 100,
                    Trained = 40,
                    HistoryOnly = 60,
                },
            "StreamingEventsUnused"
        ),
        new(
            "most events are dead letters",
            rig =>
                rig.Flow = new EventCounts
                {
                    Read = 100,
                    Trained = 40,
                    DeadLettered = 60,
                },
            "StreamingEventsUnused",
            "StreamingDeadLetters"
        ),
        new(
            "no record of the catalogue can be used",
            rig =>
                rig.Status = WithSource(
                    rig,
                    source => source with { Rejected = [new RejectedRecords(MeasuredStates.Items, DeadLetterReason.NoUser, 7)] }
                ),
            "StreamingCatalogueUnusable{part=\"catalogue\"}"
        ),
        new(
            "the catalogue is larger than the table",
            rig => rig.Happens = _ => Evict(rig),
            "StreamingCatalogueUnusable{part=\"catalogue\"}"
        ),
        new(
            "a pass over the catalogue takes longer than the interval",
            rig => rig.Status = WithTrainer(rig, static trainer => trainer with { RefreshPass = TimeSpan.FromMinutes(3) }),
            "StreamingUnhealthy{part=\"refresh\"}"
        ),
        new(
            "training finishes no batch",
            rig =>
            {
                rig.Stalls = true;
                Lag(rig, 500);
            },
            "StreamingTrainerStalled{part=\"trainer\"}"
        ),
        new("losses are not finite", rig => rig.Happens = static metrics => metrics.RecordStepNotFinite(), "StreamingStepsNotFinite"),
        new(
            "popularity ranks better",
            rig => rig.Status = WithTrainer(rig, trainer => trainer with { Popularity = MeasuredStates.Recall(0.3) }),
            "StreamingBelowPopularity"
        ),
        new(
            "checkpoints fail",
            rig => rig.Happens = static metrics => metrics.RecordCheckpoint(TimeSpan.FromSeconds(1), succeeded: false),
            "StreamingCheckpointsFail"
        ),
        new("nobody reads the log", rig => rig.HangLog(), "StreamingLogDropped"),
        new(
            "lookups have no index",
            rig => rig.Health.Set("index", HealthLevel.NotReady, "none"),
            "StreamingNothingToServe{part=\"index\"}"
        ),
        new(
            "the index is not refreshed",
            rig => rig.Health.Set("index", HealthLevel.Degraded, "old"),
            "StreamingUnhealthy{part=\"index\"}"
        ),
        .. ((VectorFault[])[VectorFault.NotFinite, VectorFault.TooLarge, VectorFault.WrongLength]).Select(fault => new Case(
            $"vectors are refused: {fault}",
            rig => rig.Status.Published!.Refused.Add(Item, fault, "?"),
            $"StreamingVectorsRefused{{reason=\"{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString())}\"}}"
        )),
        new(
            "an item's key is of another type",
            rig => rig.Status.Published!.Refused.Add(Item, VectorFault.WrongType, "?"),
            "StreamingUnhealthy{part=\"redis keys\"}"
        ),
    ];

    private static Core.Refreshes.Refresh Item => new(1, "i1", new float[8], 1, 0, 0);

    [Fact]
    public async Task Alerts_EachFiresWhileItsStateLastsAndNoOtherDoes()
    {
        using var rig = new MeasuredStates();
        var timeline = new AlertTimeline("streaming");
        PipelineStatus well = rig.Status;
        Scrape(timeline, rig, "well");
        foreach (Case state in Cases)
        {
            state.Break(rig);
            Scrape(timeline, rig, state.Name, state.Alerts);
            Mend(rig, well);
            Scrape(timeline, rig, $"{state.Name}: mended");
        }

        await timeline.VerifyAsync();
    }

    [Fact]
    public async Task WorkerDown_FiresUntilItAnswersForEachJobOfOurs()
    {
        using var rig = new MeasuredStates();
        foreach (string job in (string[])["streaming", "streaming-lookups", "streaming-trainer"])
        {
            var timeline = new AlertTimeline(job);
            Scrape(timeline, rig, "well");
            timeline.Add("down", null, null, MeasuredStates.Apart, "StreamingWorkerDown");
            Scrape(timeline, rig, "up again");
            await timeline.VerifyAsync();
        }
    }

    [Fact]
    public async Task LagGrows_FiresWhileItGrowsAboveAHundredThousand()
    {
        using var rig = new MeasuredStates();
        var timeline = new AlertTimeline("streaming");
        Scrape(timeline, rig, "well");
        Lag(rig, 150_000);
        (Exposition first, Exposition constant) = rig.Scrape();
        timeline.Add("behind", first, constant, MeasuredStates.Apart);
        Lag(rig, 150_500);
        timeline.AddRising("further and further behind", constant, rig.Scrape().Second, MeasuredStates.Apart, "StreamingLagGrows");
        Lag(rig, 0);
        Scrape(timeline, rig, "caught up");
        await timeline.VerifyAsync();
    }

    [Fact]
    public async Task StandbyWorker_FiresNothing()
    {
        var health = new HealthReport();
        using var levels = new HealthMetrics(health);
        using var metrics = new WorkerMetrics();
        using var exposition = new PrometheusExposition("shop", Telemetry.Meters);
        health.Set("redis", HealthLevel.Healthy);
        health.Set("trainer", HealthLevel.NotReady, "standing by for the lease");
        var timeline = new AlertTimeline("streaming");
        var scrape = new Exposition(exposition.Render());
        timeline.Add("standing by", scrape, scrape, MeasuredStates.Apart);
        await timeline.VerifyAsync();
    }

    [Fact]
    public void EveryAlert_IsFiredByATest()
    {
        string[] fired =
        [
            .. Cases.SelectMany(state => state.Alerts).Select(alert => alert.Split('{')[0]),
            "StreamingWorkerDown",
            "StreamingLagGrows",
        ];
        Assert.Equal(AlertTimeline.Alerts.Order(), fired.Distinct().Order());
    }

    private static void Scrape(AlertTimeline timeline, MeasuredStates rig, string name, params string[] alerts)
    {
        (Exposition first, Exposition second) = rig.Scrape();
        timeline.Add(name, first, second, MeasuredStates.Apart, alerts);
    }

    private static void Mend(MeasuredStates rig, PipelineStatus well)
    {
        rig.Flow = MeasuredStates.Trained(100);
        rig.Stalls = false;
        rig.ReleaseLog();
        rig.Happens = static _ => { };
        foreach (string part in rig.Health.Parts().Keys)
        {
            rig.Health.Set(part, HealthLevel.Healthy);
        }

        rig.Status.Published!.Refused.Remove(Item.ItemKey);

        // What was counted stays counted.
        rig.Status = well with
        {
            Source = well.Source with { Missing = rig.Status.Source.Missing },
            Trainer = well.Trainer with { ItemCounters = rig.Status.Trainer.ItemCounters },
        };
    }

    private static PipelineStatus WithSource(MeasuredStates rig, Func<KafkaSourceStatus, KafkaSourceStatus> change) =>
        rig.Status with
        {
            Source = change(rig.Status.Source),
        };

    private static PipelineStatus WithTrainer(MeasuredStates rig, Func<TrainerStatus, TrainerStatus> change) =>
        rig.Status with
        {
            Trainer = change(rig.Status.Trainer),
        };

    private static void Lag(MeasuredStates rig, long records) =>
        rig.Status = WithSource(rig, source => source with { Partitions = [new PartitionLag(MeasuredStates.Events, 0, records)] });

    private static MissingRecords Missing(KafkaSourceStatus source) => source.Missing[0] with { Records = source.Missing[0].Records + 10 };

    private static void Evict(MeasuredStates rig)
    {
        ItemTableCounters counters = rig.Status.Trainer.ItemCounters;
        rig.Status = WithTrainer(
            rig,
            trainer =>
                trainer with
                {
                    ItemCounters = counters with { EvictedByCapacity = counters.EvictedByCapacity + 1, RecordsApplied = 1 },
                }
        );
    }

    private sealed record Case(string Name, Action<MeasuredStates> Break, params string[] Alerts);

    /// <summary>A scrape reads all meters of the process.</summary>
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;
}
