using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Records;
using Streaming.Transport.Kafka.Topics;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>
/// Dead letters that the broker does not take delay their records, report it, and end the run only if waiting cannot help.
/// </summary>
public class DeadLetterProducerTests
{
    private readonly SteppedTime _time = new();

    [Fact]
    public async Task Run_QueueFull_WaitsAndDeliversEveryDeadLetter()
    {
        using KafkaHarness kafka = WithBadRecords(200);
        kafka.Options = kafka.Options with { Client = new Dictionary<string, string> { ["queue.buffering.max.messages"] = "1" } };
        await using RunningSource source = kafka.Start(queue: 100);
        await source.ReadAsync(200);
        await source.StopAsync();
        Assert.Equal(200, source.Counts.DeadLettered);
        Assert.Equal(200, source.Batches[^1].Positions[0].NextOffset);
    }

    [Fact]
    public async Task Run_QueueFullAndTheBrokerGone_EndsWhenToldTo()
    {
        using KafkaHarness kafka = WithBadRecords(200);
        kafka.Options = kafka.Options with { Client = new Dictionary<string, string> { ["queue.buffering.max.messages"] = "1" } };
        kafka.Broker.FailNext(0, [.. Enumerable.Repeat(ErrorCode.NotEnoughReplicas, 100_000)]);
        RunningSource source = kafka.Start(queue: 100);
        await KafkaHarness.WaitAsync(
            () =>
                source.Source.Status.Problem.StartsWith(
                    "dead letters wait for delivery to topic 'interactions.dead-letters'",
                    StringComparison.Ordinal
                ),
            "the wait is reported"
        );
        await source.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.True(source.Completion.IsFaulted || source.Completion.IsCanceled);
    }

    [Fact]
    public void Check_TopicRefusedForHalfAMinute_EndsTheRun()
    {
        using KafkaHarness kafka = new();
        TopicState refused = new("interactions.dead-letters")
        {
            CanWrite = false,
            Error = "not authorized to access topic 'interactions.dead-letters' (Broker: Topic authorization failed)",
        };
        kafka.Broker.SetDown(); // so that nothing is delivered yet
        using DeadLetterProducer producer = new(kafka.Options, static _ => { }, _time);
        Assert.Equal("dead letters: " + refused.Error, producer.Check(refused)); // before there is any
        Assert.True(producer.TrySend(Letter()));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.StartsWith(
            "dead letters wait for delivery to topic 'interactions.dead-letters': not authorized",
            producer.Check(refused),
            StringComparison.Ordinal
        );
        _time.Advance(TimeSpan.FromSeconds(2));
        KafkaUnavailableException error = Assert.Throws<KafkaUnavailableException>(() => producer.Check(refused));
        Assert.StartsWith(
            "A dead letter could not be delivered to topic 'interactions.dead-letters': not authorized",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Check_BrokerUnreachable_WaitsWithoutEnd()
    {
        using KafkaHarness kafka = new();
        kafka.Broker.SetDown();
        using DeadLetterProducer producer = new(kafka.Options, static _ => { }, _time);
        Assert.True(producer.TrySend(Letter()));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(
            "dead letters wait for delivery to topic 'interactions.dead-letters'",
            producer.Check(new TopicState("interactions.dead-letters") { Partitions = 1 })
        );
    }

    [Theory]
    [InlineData(ErrorCode.TopicAuthorizationFailed)]
    [InlineData(ErrorCode.UnknownTopicOrPart)]
    public async Task Wait_TopicRefusedWhatWasSent_SendsItAgainUntilItArrives(ErrorCode refusal)
    {
        using KafkaHarness kafka = new();
        kafka.Broker.SetTopicError("interactions.dead-letters", refusal);
        using DeadLetterProducer producer = new(kafka.Options, static _ => { }, _time);
        Message<byte[]?, byte[]?> message = Letter();
        bool isTaken = producer.TrySend(message); // the first is taken before the client knows the topic
        for (int i = 0; i < 30; i++)
        {
            producer.Wait(TimeSpan.FromMilliseconds(100));
            Assert.False(isTaken && producer.IsDelivered);
        }

        kafka.Broker.SetTopicError("interactions.dead-letters", ErrorCode.NoError);
        await KafkaHarness.WaitAsync(
            () =>
            {
                isTaken = isTaken || producer.TrySend(message);
                producer.Wait(TimeSpan.FromMilliseconds(100));
                return isTaken && producer.IsDelivered;
            },
            "the dead letter arrives"
        );
    }

    private static Message<byte[]?, byte[]?> Letter() =>
        DeadLetter.Create(
            [1],
            [2],
            DeadLetterReason.Malformed,
            "the bytes are not a message",
            new TopicPartitionOffset("interactions", 0, 7),
            "group"
        );

    private static KafkaHarness WithBadRecords(int count)
    {
        KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with { MaxDeadLetterRate = 1 };
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < count; i++)
        {
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], [0xFF], null);
        }

        producer.Flush(TestContext.Current.CancellationToken);
        return kafka;
    }
}
