using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Core.Events;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Readers;
using Streaming.Worker.Health;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

/// <summary>When a part that works is no use all the same.</summary>
public sealed class HealthChecksTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Mix_IsOfTheLastThousandAndNamesEachFate()
    {
        var mix = new EventMix();
        Add(mix, batches: 50, new EventCounts { Read = 32, Trained = 32 });
        Assert.Empty(mix.Problem(0.5));

        Add(
            mix,
            batches: 17,
            new EventCounts
            {
                Read = 32,
                Duplicates = 20,
                HistoryOnly = 7,
                DeadLettered = 5,
            }
        );
        Assert.StartsWith(
            "of the last 1024 events 340 are duplicates, 119 too late or of a type with weight 0, 85 dead letters; 480 are trained on",
            mix.Problem(0.5),
            StringComparison.Ordinal
        );
        Assert.Empty(mix.Problem(0.6));
        Assert.Empty(mix.Problem(1));

        Add(mix, batches: 20, new EventCounts { Read = 32, Trained = 32 });
        Assert.Empty(mix.Problem(0.5));
    }

    [Fact]
    public void Mix_WhatOverloadLeavesOutAndAFewEventsSayNothing()
    {
        var mix = new EventMix();
        Add(mix, batches: 3, new EventCounts { Read = 32, Duplicates = 32 });
        Assert.Empty(mix.Problem(0.5));

        Add(
            mix,
            batches: 40,
            new EventCounts
            {
                Read = 32,
                HistoryOnly = 30,
                Shed = 30,
                Trained = 2,
            }
        );
        Assert.Empty(mix.Problem(0.5));
    }

    [Fact]
    public void Catalogue_ItemsMakeRoomForOthers_IsSaidForTenMinutes()
    {
        var check = new CatalogueCheck(1_000, _time);
        Assert.Empty(check.Update(new ItemTableCounters { EvictedByCapacity = 5, RecordsApplied = 1 }, rejected: 0, [])); // An earlier life's.
        Assert.Equal(
            "larger than STREAMING__Model__ItemCapacity (1000 items): 6 items evicted to make room for others since the model began",
            check.Update(new ItemTableCounters { EvictedByCapacity = 6, RecordsApplied = 1 }, 0, [])
        );
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Empty(check.Update(new ItemTableCounters { EvictedByCapacity = 6, RecordsApplied = 1 }, 0, []));
    }

    [Fact]
    public void Catalogue_NoRecordOfItCanBeUsed_IsSaid()
    {
        var check = new CatalogueCheck(1_000, _time);
        Assert.StartsWith(
            "none of its 7 records could be used",
            check.Update(new ItemTableCounters { RecordsRejected = 3 }, rejected: 4, []),
            StringComparison.Ordinal
        );
        Assert.Empty(check.Update(new ItemTableCounters { RecordsRejected = 3, RecordsApplied = 1 }, rejected: 4, []));
    }

    [Fact]
    public void Catalogue_NoRecordHasAFeatureGroup_NamesItAndItsFields()
    {
        var check = new CatalogueCheck(1_000, _time);
        var items = new ItemTableCounters { RecordsApplied = 5 };
        var words = FeatureGroup.Hashed("words", 4, new TextField("title"), new TextField("brand", IsCategory: true));
        Assert.Equal(
            "none of its 5 records has text for feature group 'words' (title, brand) or feature group 'image', which "
                + "STREAMING__Model__FeatureGroups declares",
            check.Update(items, 0, [new(words, 5), new(new FeatureGroup("image", 2), 5), new(new FeatureGroup("sound", 2), 4)])
        );
        Assert.Empty(check.Update(items, 0, [new(words, 4)]));
        Assert.Empty(check.Update(default, 0, [new(words, 0)]));
    }

    [Fact]
    public void Stall_IsNoBatchWhileEventsWait()
    {
        var check = new StallCheck(TimeSpan.FromMinutes(1), _time);
        Assert.Empty(check.Update(3, waiting: true));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("no batch finished for 120 s although events are waiting", check.Update(3, waiting: true));
        Assert.Empty(check.Update(4, waiting: true));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(check.Update(4, waiting: false));
        Assert.Empty(check.Update(4, waiting: true)); // What waits now has not waited for long.
    }

    [Fact]
    public void Refresh_PassLongerThanTheInterval_SaysBothUnlessRedisIsTheCause()
    {
        var health = new HealthReport();
        PipelineHealth parts = Parts(health);
        parts.Refresh(5_000, TimeSpan.FromSeconds(99), isTaken: true);
        Assert.Equal("healthy", health.Parts()["refresh"]);
        parts.Refresh(5_000, TimeSpan.FromSeconds(140), isTaken: true);
        Assert.Equal(
            "degraded: refreshing 5000 items takes 140 s; STREAMING__Training__Refresh__RefreshInterval is 60 s. Raise it, or "
                + "STREAMING__Training__Refresh__MaxTimeShare",
            health.Parts()["refresh"]
        );
        parts.Refresh(5_000, TimeSpan.FromSeconds(140), isTaken: false);
        Assert.Equal("healthy", health.Parts()["refresh"]);
        _time.Advance(TimeSpan.FromSeconds(100));
        parts.Refresh(5_000, TimeSpan.FromSeconds(140), isTaken: true);
        Assert.Equal("healthy", health.Parts()["refresh"]);
        _time.Advance(TimeSpan.FromSeconds(100));
        parts.Refresh(5_000, TimeSpan.FromSeconds(140), isTaken: true);
        Assert.StartsWith("degraded", health.Parts()["refresh"], StringComparison.Ordinal);
    }

    [Fact]
    public void Kafka_NoPartitionOfTheEvents_IsNotReadyInTheBrokersWords()
    {
        var health = new HealthReport();
        PipelineHealth parts = Parts(health);
        KafkaSourceStatus none = KafkaSourceStatus.None;

        parts.Kafka(none);
        Assert.Equal("not ready: no partition of topic 'interactions' is assigned yet", health.Parts()["kafka"]);
        parts.Kafka(none with { Partitions = [new PartitionLag("items", 0, 7), new PartitionLag("items", 1, 5)] });
        Assert.Equal("not ready: the catalogue is read first: 12 records are left", health.Parts()["kafka"]);
        parts.Kafka(
            none with
            {
                Problems = [(KafkaProblem.Group, "not authorized to access group 'g'")],
                Partitions = [new PartitionLag("items", 0, 0)],
            }
        );
        Assert.Equal("not ready: not authorized to access group 'g'", health.Parts()["kafka"]);
        parts.Kafka(
            none with
            {
                Problems = [(KafkaProblem.Unavailable, "connection refused")],
                Partitions = [new PartitionLag("interactions", 0, 0)],
            }
        );
        Assert.Equal("degraded: connection refused", health.Parts()["kafka"]);
        parts.Kafka(none with { Partitions = [new PartitionLag("interactions", 0, 0)] });
        Assert.Equal("healthy", health.Parts()["kafka"]);
    }

    [Fact]
    public void Part_IsLoggedWhenItBeginsAndWhenItEnds()
    {
        var log = new RecordingLoggers();
        var health = new HealthReport();
        var part = new PartWatch("events", HealthLevel.Degraded, health, log);
        part.Set("1 of 2");
        part.Set("2 of 2");
        Assert.Equal("degraded: 2 of 2", health.Parts()["events"]);
        part.Set(string.Empty);

        Assert.Equal("healthy", health.Parts()["events"]);
        Assert.Equal(1, log.Count("Health problem: events: 1 of 2"));
        Assert.Equal(1, log.Count("Health problem resolved: events"));
    }

    [Fact]
    public void Overload_IsInHealthAllAlongAndInTheLogWhenItBeginsAndEnds()
    {
        var log = new RecordingLoggers();
        var health = new HealthReport();
        var watch = new OverloadWatch(0.25, health, log);
        watch.Set(overloaded: false, lag: 5);
        Assert.Equal("healthy", health.Parts()["load"]);
        Assert.Empty(log.Text);

        watch.Set(overloaded: true, lag: 2_000);
        watch.Set(overloaded: true, lag: 3_000);
        Assert.Equal("degraded: too far behind, 0.25 of the events are not trained on", health.Parts()["load"]);
        watch.Set(overloaded: false, lag: 900);

        Assert.Equal("healthy", health.Parts()["load"]);
        Assert.Equal(1, log.Count("2000 records behind; 0.25 of the events"));
        Assert.Equal(1, log.Count("Lag is down to 900 records"));
        Assert.Equal(0, log.Count("3000"));
    }

    private static void Add(EventMix mix, int batches, EventCounts counts)
    {
        for (int i = 0; i < batches; i++)
        {
            mix.Add(counts);
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }

    private PipelineHealth Parts(HealthReport health) =>
        new(new PipelineOptions(), "interactions", "items", 10, TimeSpan.FromMinutes(1), health, _time, NullLogger.Instance);
}
