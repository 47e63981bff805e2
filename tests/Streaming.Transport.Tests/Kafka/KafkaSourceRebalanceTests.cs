using Confluent.Kafka;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Tests;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>
/// Typical faults of programs that read batches from a consumer group, each from a user's report, and their absence
/// here: positions after a rebalance are the live ones, and nothing is read twice or missed.
/// </summary>
public class KafkaSourceRebalanceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>confluent-kafka-dotnet 1672, 1792, and any program that seeks to its initial position at every assignment:
    /// old offsets are read again after a rebalance.</summary>
    [Fact]
    public async Task Run_MemberJoinsAndLeaves_ContinuesAtTheLivePositionsAndNotThoseOfTheStart()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        kafka.Produce(0, 1000);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(logger: log);
        await source.ReadAsync(1000);
        await using (await OtherMember.JoinAsync(kafka.Options, Stop))
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 2, "half of the partitions are taken away");
            kafka.Produce(1000, 1000);
            Batch batch = await source.NextAsync();

            // Revoked partitions keep their live position in every batch, and thus in every checkpoint.
            Assert.Equal(4, batch.Positions.Count);
        }

        kafka.Produce(2000, 1000);
        await source.ReadAsync(3000);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(3000, source.Examples);
        Assert.Equal(0, source.Counts.Duplicates); // due to the positions, not the dedup window
        Assert.DoesNotContain(
            log.Lines.SkipWhile(static line => !line.Contains("Revoked ", StringComparison.Ordinal)),
            static line => line.EndsWith("reading from 0", StringComparison.Ordinal)
        );
    }

    /// <summary>
    /// The same when the group's committed offsets are far behind or far ahead: they are for dashboards and never read back.
    /// </summary>
    [Theory]
    [InlineData(3)]
    [InlineData(900)]
    public async Task Run_GroupHasCommittedSomethingElse_TheModelsPositionsDecide(long committed)
    {
        using KafkaHarness kafka = new(partitions: 1, assignment: KafkaAssignment.Group);
        kafka.Produce(0, 1000);
        using (
            IConsumer<Ignore, Ignore> dashboard = new ConsumerBuilder<Ignore, Ignore>(
                new ConsumerConfig { BootstrapServers = kafka.Options.BootstrapServers, GroupId = kafka.Options.GroupId }
            ).Build()
        )
        {
            dashboard.Commit([new TopicPartitionOffset(kafka.Options.InteractionsTopic, 0, committed)]);
        }

        await using RunningSource source = kafka.Start(positions: [new StreamPosition(kafka.Options.InteractionsTopic, 0, 500)]);
        await source.ReadAsync(500);
        await source.StopAsync();
        Assert.Equal(
            Enumerable.Range(500, 500).Select(static i => RunningSource.Key($"item-{i}")),
            source.Examples.Select(static example => example.Item)
        );
    }

    /// <summary>confluent-kafka-dotnet 1571: what happens to a half-full batch when its partitions are revoked is unclear. Here it is
    /// still trained, and the checkpoint with its effect has its positions.</summary>
    [Fact]
    public async Task Run_RevokedWithABatchHalfFull_WhatWasInFlightCountsOnce()
    {
        using KafkaHarness kafka = new(partitions: 2, assignment: KafkaAssignment.Group);
        kafka.Batching = kafka.Batching with { Linger = Timeout.InfiniteTimeSpan };
        kafka.Produce(0, 50); // a batch of 32, and 18 pending
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(32);
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Partitions.Count(static partition => partition.Records == 0) == 2,
            "everything is read"
        );
        await using (await OtherMember.JoinAsync(kafka.Options, Stop))
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 1, "a partition is taken away");
        }

        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 2, "it has come back");
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(50, source.Examples);
        Assert.Equal(0, source.Counts.Duplicates);
        Assert.NotNull(source.Batches[^1].Snapshot);
        Assert.Equal(50, source.Batches[^1].Positions.Sum(static position => position.NextOffset));
    }

    /// <summary>confluent-kafka-dotnet 1414: programs that batch by hand wait for full batches, and fall behind. Here a partial batch
    /// leaves after its linger time, and reading at full speed ends without lag.</summary>
    [Fact]
    public async Task Run_BatchesThatDoNotFill_LeaveAnywayAndNoLagStays()
    {
        using KafkaHarness kafka = new(assignment: KafkaAssignment.Group);
        await using RunningSource source = kafka.Start();
        for (int i = 0; i < 3; i++)
        {
            kafka.Produce(i, 1);
            await source.ReadAsync(i + 1);
        }

        kafka.Produce(3, 5000);
        await source.ReadAsync(5003);
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Partitions is { Count: 3 } partitions && partitions.All(static partition => partition.Records == 0),
            "there is no lag"
        );
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(5003, source.Examples);
    }

    /// <summary>
    /// KafkaFlow 581, kafkaflow-retry-extensions 151: a partition that was paused, revoked and reassigned stays paused for ever.
    /// </summary>
    [Fact]
    public async Task Run_MembersComeAndGoWhilePaused_ContinuesAfterwards()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        kafka.Produce(0, 2000);
        await using RunningSource source = kafka.Start(queue: 1);
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsPaused, "the source pauses");
        await using (await OtherMember.JoinAsync(kafka.Options, Stop))
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 2, "half of the partitions are taken away");
        }

        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 4, "all partitions have come back");
        Assert.True(source.Source.Status.IsPaused);
        await source.ReadAsync(2000);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(2000, source.Examples);
        Assert.Equal(0, source.Counts.Duplicates);
    }

    /// <summary>
    /// KafkaFlow 111: a consumer that is paused for longer than <c>max.poll.interval.ms</c> does not poll and is removed from the group.
    /// </summary>
    [Fact]
    public async Task Run_PausedBeyondThePollInterval_StaysInTheGroup()
    {
        using KafkaHarness kafka = new(assignment: KafkaAssignment.Group);
        kafka.Options = kafka.Options with { Client = new Dictionary<string, string> { ["max.poll.interval.ms"] = "3500" } };
        kafka.Produce(0, 1000);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(queue: 1, logger: log);
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsPaused, "the source pauses");
        await Task.Delay(TimeSpan.FromSeconds(5), Stop); // the interval itself is what is tested

        Assert.DoesNotContain(log.Lines, static line => line.Contains("Revoked ", StringComparison.Ordinal));
        await source.ReadAsync(1000);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(1000, source.Examples);
    }

    /// <summary>
    /// KafkaFlow 359: with batches, some partitions' offsets are no longer committed after a while, and dashboards show false lag.
    /// </summary>
    [Fact]
    public async Task Commit_AfterManyBatchesAndARebalance_EveryPartitionsReachesTheGroup()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        kafka.Batching = kafka.Batching with { CheckpointBatches = 5 };
        kafka.Produce(0, 2000);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(2000);
        source.Source.Commit([.. source.Batches[^1].Positions]);
        await using (await OtherMember.JoinAsync(kafka.Options, Stop))
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 2, "half of the partitions are taken away");
        }

        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 4, "they have come back");
        kafka.Produce(2000, 500);
        await source.ReadAsync(2500);
        source.Source.Commit([.. source.Batches[^1].Positions]);
        await KafkaHarness.WaitAsync(() => CommittedOffsets(kafka) == 2500, "the commits arrive");
    }

    /// <summary>
    /// kafkaflow-retry-extensions 160: one bad record blocks its partition, or all. Here it is dead-lettered and nothing waits.
    /// </summary>
    [Fact]
    public async Task Run_BadRecordsInOnePartition_HoldUpNone()
    {
        using KafkaHarness kafka = new(partitions: 2, assignment: KafkaAssignment.Group);
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < 100; i++)
        {
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], [0xFF], null, partition: 1);
            byte[] value = Google.Protobuf.MessageExtensions.ToByteArray(KafkaHarness.NumberedEvent(i));
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], value, null, partition: i % 2);
        }

        producer.Flush(Stop);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(200);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(100, source.Examples);
        Assert.Equal(100, source.Counts.DeadLettered);
        Assert.Equal([50L, 150L], source.Batches[^1].Positions.Select(static position => position.NextOffset));
    }

    private static long CommittedOffsets(KafkaHarness kafka)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig { BootstrapServers = kafka.Options.BootstrapServers, GroupId = kafka.Options.GroupId }
        ).Build();
        return consumer
            .Committed(
                [.. Enumerable.Range(0, 4).Select(partition => new TopicPartition(kafka.Options.InteractionsTopic, partition))],
                TimeSpan.FromSeconds(10)
            )
            .Sum(static position => Math.Max(0, position.Offset.Value));
    }
}
