using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Topics;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>A recreated topic shares only its name with the deleted one: stored positions do not apply to it.</summary>
public class KafkaSourceIdentityTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(KafkaAssignment.Static, 60)] // shorter than the position
    [InlineData(KafkaAssignment.Static, 500)] // longer: reading at the position would lose its first records silently
    [InlineData(KafkaAssignment.Group, 500)]
    public async Task Run_RecreatedWhileTheWorkerWasDown_StopsAndReadsNothing(KafkaAssignment assignment, int records)
    {
        using KafkaHarness kafka = new(partitions: 1, assignment: assignment);
        IReadOnlyList<StreamPosition> positions = await ReadAsync(kafka, 100);
        Assert.NotNull(positions[0].TopicId);
        Recreate(kafka);
        kafka.Produce(100, records);
        await using RunningSource source = kafka.Start(positions: positions);
        KafkaSourceException error = await Assert.ThrowsAsync<KafkaSourceException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), Stop)
        );
        Assert.StartsWith(
            $"Topic 'interactions' was deleted and recreated (id {positions[0].TopicId} → ",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "or set STREAMING__Kafka__SkipMissing=true to continue from the beginning of the new topic.",
            error.Message,
            StringComparison.Ordinal
        );
        await Assert.ThrowsAnyAsync<Exception>(() => source.ReadAsync(1));
        Assert.Equal(0, source.Counts.Read);
    }

    [Theory]
    [InlineData(KafkaAssignment.Static)]
    [InlineData(KafkaAssignment.Group)]
    public async Task Run_RecreatedAndToBeSkipped_ReadsTheNewTopicFromItsBeginning(KafkaAssignment assignment)
    {
        using KafkaHarness kafka = new(partitions: 1, assignment: assignment);
        kafka.Options = kafka.Options with { SkipMissing = true, Start = "latest" }; // must not matter: the model has seen the topic
        IReadOnlyList<StreamPosition> positions = await ReadAsync(kafka, 100);
        Recreate(kafka);
        kafka.Produce(0, 300);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(positions: positions, logger: log);
        await source.ReadAsync(300);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(300, source.Examples);
        Assert.Contains(
            log.Lines,
            static line => line.StartsWith("Topic interactions was deleted and recreated", StringComparison.Ordinal)
        );
        Assert.NotEqual(positions[0].TopicId, source.Batches[^1].Positions[0].TopicId);
    }

    [Theory]
    [InlineData(KafkaAssignment.Static)]
    [InlineData(KafkaAssignment.Group)]
    public async Task Run_RecreatedWhileReading_NothingOfItIsInACheckpoint(KafkaAssignment assignment)
    {
        using KafkaHarness kafka = new(partitions: 1, assignment: assignment);
        kafka.Batching = kafka.Batching with { CheckpointBatches = 1 };
        kafka.Produce(0, 100);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(100);
        string id = source.Batches[^1].Positions[0].TopicId!;
        Recreate(kafka);
        kafka.Produce(100, 900);
        TopicReplacedException error = await Assert.ThrowsAsync<TopicReplacedException>(async () =>
        {
            await Assert.ThrowsAnyAsync<Exception>(() => source.ReadUntilAsync(static _ => false));
            await source.Completion;
        });
        Assert.Contains(id, error.Message, StringComparison.Ordinal);
        Assert.All(
            source.Batches.Where(static batch => batch.Snapshot is not null),
            batch => Assert.Equal([new StreamPosition("interactions", 0, batch.Positions[0].NextOffset, id)], batch.Positions)
        );
        Assert.True(
            source.Batches.Where(static batch => batch.Snapshot is not null).Max(static batch => batch.Positions[0].NextOffset) <= 100
        );
    }

    [Fact]
    public async Task Run_OldEndsAreKnown_WhatWasUnreadIsCounted()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with { SkipMissing = true };
        IReadOnlyList<StreamPosition> positions = await ReadAsync(kafka, 100);
        Recreate(kafka);
        kafka.Produce(0, 10);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(
            positions: positions,
            logger: log,
            oldEnds: [positions[0] with { NextOffset = 142 }]
        );
        await source.ReadAsync(10);
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Missing.Contains(new MissingRecords("interactions", 42)),
            "the unread records are counted"
        );
        await KafkaHarness.WaitAsync(
            () => log.Lines.Any(static line => line.EndsWith("Unread records of the deleted topic: 42", StringComparison.Ordinal)),
            "the log counts them"
        );
    }

    [Fact]
    public async Task Run_CheckpointWithoutAnId_AdoptsTheOneThereIs()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Produce(0, 100);
        await using RunningSource source = kafka.Start(positions: [new StreamPosition("interactions", 0, 40)]);
        await source.ReadAsync(60);
        await source.StopAsync();
        Assert.Equal(60, source.Counts.Trained);
        Assert.NotNull(source.Batches[^1].Positions[0].TopicId);
    }

    [Fact]
    public async Task Run_ClusterUnreachableAtTheEnd_TheLastCheckpointIsKept()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Batching = kafka.Batching with { Linger = Timeout.InfiniteTimeSpan };
        kafka.Produce(0, 50);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(32);
        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions is [{ Records: 0 }], "everything is read");
        kafka.Broker.SetDown();
        await source.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop);
        Assert.NotNull(source.Batches[^1].Snapshot);
        Assert.Equal(50, source.Batches[^1].Positions[0].NextOffset);
        Assert.NotNull(source.Batches[^1].Positions[0].TopicId);
    }

    private static void Recreate(KafkaHarness kafka)
    {
        kafka.Broker.DeleteTopic("interactions");
        kafka.Broker.CreateTopic("interactions", 1);
    }

    private static async Task<IReadOnlyList<StreamPosition>> ReadAsync(KafkaHarness kafka, int records)
    {
        kafka.Produce(0, records);
        string start = kafka.Options.Start;
        kafka.Options = kafka.Options with { Start = "earliest" };
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(records);
        await source.StopAsync();
        kafka.Options = kafka.Options with { Start = start };
        return [.. source.Batches[^1].Positions];
    }
}
