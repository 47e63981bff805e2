using Streaming.Core.Positions;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>Records deleted by the broker before they were read.</summary>
public class KafkaSourceMissingTests
{
    [Fact]
    public async Task Run_RecordsBelowThePositionAreGone_StopsAndSaysHowMany()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Produce(0, 100);
        kafka.Broker.DeleteRecords("interactions", 0, before: 70);
        await using RunningSource source = kafka.Start(positions: [new StreamPosition("interactions", 0, 40)]);
        KafkaSourceException error = await Assert.ThrowsAsync<KafkaSourceException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)
        );
        Assert.StartsWith(
            "30 records of interactions[0] were deleted by the broker before they were read: the model's position is 40, the oldest "
                + "record is at 70.",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "set STREAMING__Kafka__SkipMissing=true to continue with the oldest record.",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(KafkaAssignment.Static, KafkaGroupProtocol.Classic)]
    [InlineData(KafkaAssignment.Group, KafkaGroupProtocol.Classic)]
    [InlineData(KafkaAssignment.Group, KafkaGroupProtocol.Consumer)]
    public async Task Run_SkipMissing_ContinuesWithTheOldestRecordAndCountsWhatWasGone(
        KafkaAssignment assignment,
        KafkaGroupProtocol protocol
    )
    {
        using KafkaHarness kafka = new(partitions: 3, assignment: assignment);
        kafka.Options = kafka.Options with { GroupProtocol = protocol, SkipMissing = true };
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < 300; i++)
        {
            producer.SendRaw(
                "interactions",
                [1],
                Google.Protobuf.MessageExtensions.ToByteArray(KafkaHarness.NumberedEvent(i)),
                null,
                partition: i % 3
            );
        }

        producer.Flush(TestContext.Current.CancellationToken);
        kafka.Broker.DeleteRecords("interactions", 0, before: 70);
        kafka.Broker.DeleteRecords("interactions", 2, before: 50);
        RecordingLogger log = new();
        await using RunningSource source = kafka.Start(
            logger: log,
            positions: [new("interactions", 0, 40), new("interactions", 1, 90), new("interactions", 2, 50)]
        );
        await source.ReadAsync(90);
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Missing.Contains(new MissingRecords("interactions", 30)),
            "the gap is counted"
        );
        await source.StopAsync();
        Assert.Equal(90, source.Counts.Trained); // 30, 10 and 50
        Assert.Equal([100L, 100L, 100L], source.Batches[^1].Positions.Select(static position => position.NextOffset));
        Assert.Contains(
            "30 records of interactions[0] were deleted by the broker before they were read; continuing at 70 instead of 40 "
                + "(STREAMING__Kafka__SkipMissing)",
            log.Lines
        );
    }
}
