using Confluent.Kafka;
using Streaming.Tests;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>Health reports a problem by name while it lasts, and not afterwards.</summary>
public class KafkaSourceHealthTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(KafkaAssignment.Static)]
    [InlineData(KafkaAssignment.Group)]
    public async Task Status_TopicMissing_SaysSoUntilItIsThere(KafkaAssignment assignment)
    {
        using KafkaHarness kafka = new(assignment: assignment);
        kafka.Options = kafka.Options with { InteractionsTopic = "mispelt", MetadataRefresh = TimeSpan.FromMilliseconds(100) };
        await using RunningSource source = kafka.Start();
        await UntilAsync(source, "topic 'mispelt' does not exist");
        kafka.Broker.CreateTopic("mispelt", 2);
        kafka.Produce(0, 50);
        await source.ReadAsync(50);
        await UntilAsync(source, string.Empty);
    }

    [Fact]
    public async Task Status_TopicDeletedWhileReading_SaysSo()
    {
        using KafkaHarness kafka = new();
        kafka.Options = kafka.Options with { MetadataRefresh = TimeSpan.FromMilliseconds(100) };
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 3, "partitions are assigned");
        Assert.False(source.Source.Status.IsDegraded);
        kafka.Broker.DeleteTopic(kafka.Options.InteractionsTopic);
        await UntilAsync(source, "topic 'interactions' does not exist");
    }

    [Theory]
    [InlineData("interactions", "not authorized to access topic 'interactions' (Broker: Topic authorization failed)")]
    [InlineData("items", "not authorized to access topic 'items' (Broker: Topic authorization failed)")]
    [InlineData(
        "interactions.dead-letters",
        "dead letters: not authorized to access topic 'interactions.dead-letters' (Broker: Topic authorization failed)"
    )]
    public async Task Status_TopicRefused_SaysSoUntilItIsAllowed(string topic, string expected)
    {
        using KafkaHarness kafka = new(withItems: true);
        kafka.Options = kafka.Options with { MetadataRefresh = TimeSpan.FromMilliseconds(100) };
        kafka.Broker.SetTopicError(topic, ErrorCode.TopicAuthorizationFailed);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(logger: log);
        await UntilAsync(source, expected);
        await KafkaHarness.WaitAsync(() => log.Lines.Contains($"Kafka: {expected}; waiting until this is resolved"), "the log says so");
        kafka.Broker.SetTopicError(topic, ErrorCode.NoError);
        await UntilAsync(source, string.Empty);
        kafka.Produce(0, 20);
        await source.ReadAsync(20);
        await KafkaHarness.WaitAsync(() => log.Lines.Contains($"Kafka: resolved: {expected}"), "the log says that it is resolved");
    }

    [Fact]
    public async Task Status_GroupRefused_SaysSoUntilItIsAllowed()
    {
        using KafkaHarness kafka = new(assignment: KafkaAssignment.Group);
        kafka.Broker.FailNext(10, [.. Enumerable.Repeat(ErrorCode.GroupAuthorizationFailed, 10)]);
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(
            () =>
                source.Source.Status.Problem.StartsWith(
                    $"not authorized to access group '{kafka.Options.GroupId}' (",
                    StringComparison.Ordinal
                ),
            "the group is refused"
        );
        kafka.Produce(0, 20);
        await source.ReadAsync(20); // the broker has no errors left to return
        await UntilAsync(source, string.Empty);
    }

    [Fact]
    public async Task Status_OtherMembersHoldPartitions_SaysSoOnceItLasts()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 4, "partitions are assigned");
        await using (await OtherMember.JoinAsync(kafka.Options, Stop))
        {
            await KafkaHarness.WaitAsync(
                () =>
                    source.Source.Status.Problem.StartsWith(
                        $"only 2 of 4 partitions of topic 'interactions' assigned by group '{kafka.Options.GroupId}'",
                        StringComparison.Ordinal
                    ),
                "it is said"
            );
        }

        await UntilAsync(source, string.Empty);
    }

    [Fact]
    public async Task Run_ConsumerProtocol_PartitionsThatComeBackWhilePausedStayPausedAndAreReadAfterwards()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        kafka.Broker.SetGroupHeartbeat(TimeSpan.FromMilliseconds(200));
        kafka.Options = kafka.Options with { GroupProtocol = KafkaGroupProtocol.Consumer };
        kafka.Produce(0, 2000);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(queue: 1, logger: log);
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

    [Fact]
    public async Task Run_StartTime_ReadsFromTheFirstRecordSince()
    {
        using KafkaHarness kafka = new(partitions: 1);
        DateTimeOffset since = TimeProvider.System.GetUtcNow().AddHours(-1);
        kafka.Options = kafka.Options with
        {
            Start = since.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        };
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 1, "partitions are assigned");
        kafka.Produce(0, 40);
        await source.ReadAsync(40);
        Assert.Equal(40, source.Counts.Trained);
    }

    private static Task UntilAsync(RunningSource source, string problem) =>
        KafkaHarness.WaitAsync(
            () => source.Source.Status.Problem == problem,
            $"the problem is '{problem}'; it is '{source.Source.Status.Problem}'"
        );
}
