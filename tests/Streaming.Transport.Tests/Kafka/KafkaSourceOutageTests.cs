using Confluent.Kafka;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>Brokers that stop and restart, failing requests, moving leaders, a stalled trainer.</summary>
public class KafkaSourceOutageTests
{
    [Fact]
    public async Task Run_TrainerStalls_PausesAndContinuesWithNothingLost()
    {
        using KafkaHarness kafka = new();
        kafka.Produce(0, 3000);
        await using RunningSource source = kafka.Start(queue: 1);
        for (int round = 0; round < 3; round++)
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.IsPaused, "the source pauses");
            long read = source.Counts.Read;
            await source.ReadAsync(read + 700);
        }

        await source.ReadAsync(3000);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(3000, source.Examples);
    }

    [Fact]
    public async Task Run_BrokerGoesAndComes_WaitsAndContinues()
    {
        using KafkaHarness kafka = new();
        using EventProducer producer = new(kafka.Options);
        await using RunningSource source = kafka.Start();
        kafka.Produce(0, 500);
        await source.ReadAsync(500);
        for (int round = 1; round <= 2; round++)
        {
            kafka.Broker.SetDown();
            await KafkaHarness.WaitAsync(() => source.Source.Status.IsDegraded, "the source is degraded");
            for (int i = 500 * round; i < 500 * (round + 1); i++)
            {
                producer.Send(KafkaHarness.NumberedEvent(i));
            }

            kafka.Broker.SetUp();
            await source.ReadAsync(500 * (round + 1));
            await KafkaHarness.WaitAsync(() => !source.Source.Status.IsDegraded, "the source has recovered");
        }

        await source.StopAsync();
        KafkaHarness.AssertEachOnce(1500, source.Examples);
    }

    [Fact]
    public async Task Run_BrokerIsIdleAfterAnOutage_RecoversWithoutARecord()
    {
        using KafkaHarness kafka = new();
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 3, "partitions are assigned");
        kafka.Broker.SetDown();
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsDegraded, "the source is degraded");
        kafka.Broker.SetUp();
        await KafkaHarness.WaitAsync(() => !source.Source.Status.IsDegraded, "the source has recovered");
    }

    [Fact]
    public async Task Run_BrokerAwayAtTheStart_WaitsForIt()
    {
        using KafkaHarness kafka = new();
        kafka.Produce(0, 100);
        kafka.Broker.SetDown();
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsDegraded, "the source is degraded");
        kafka.Broker.SetUp();
        await source.ReadAsync(100);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(100, source.Examples);
    }

    [Fact]
    public async Task Run_StoppedWhileTheBrokerIsAway_EndsCleanly()
    {
        using KafkaHarness kafka = new(assignment: KafkaAssignment.Group);
        kafka.Produce(0, 100);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(100);
        kafka.Broker.SetDown();
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsDegraded, "the source is degraded");
        await source.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        KafkaHarness.AssertEachOnce(100, source.Examples);
    }

    [Fact]
    public async Task Run_RequestsFail_EveryEventStillCountsOnce()
    {
        using KafkaHarness kafka = new();
        using EventProducer producer = new(kafka.Options);
        kafka.Broker.FailNext(2, ErrorCode.LeaderNotAvailable, ErrorCode.Local_Transport);
        await using RunningSource source = kafka.Start();
        for (int round = 0; round < 6; round++)
        {
            kafka.Broker.FailNext(
                1,
                ErrorCode.NotLeaderForPartition,
                ErrorCode.Local_Transport,
                ErrorCode.UnknownTopicOrPart,
                ErrorCode.RequestTimedOut
            );
            for (int i = 300 * round; i < 300 * (round + 1); i++)
            {
                producer.Send(KafkaHarness.NumberedEvent(i));
            }

            producer.Flush(TestContext.Current.CancellationToken);
            await source.ReadAsync(300 * (round + 1));
        }

        await source.StopAsync();
        KafkaHarness.AssertEachOnce(1800, source.Examples);
    }

    [Fact]
    public async Task Run_LeadersMoveAndOneBrokerDies_EveryEventStillCountsOnce()
    {
        using KafkaHarness kafka = new(brokers: 2);
        await using RunningSource source = kafka.Start();
        for (int round = 0; round < 6; round++)
        {
            for (int partition = 0; partition < 3; partition++)
            {
                kafka.Broker.SetLeader(kafka.Options.InteractionsTopic, partition, 1 + ((round + partition) % 2));
            }

            kafka.Produce(300 * round, 300);
            await source.ReadAsync(300 * (round + 1));
        }

        await source.StopAsync();
        KafkaHarness.AssertEachOnce(1800, source.Examples);
    }
}
