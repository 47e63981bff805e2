using System.Text;
using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>Records of other producers, decoded with a mapping from the settings.</summary>
public class KafkaSourceMappingTests
{
    private const long Start = 1_700_000_000_000;

    [Fact]
    public async Task Run_OrdersWithLines_EachLineIsAnEventAndARecordIsInOneBatch()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with
        {
            InteractionsFormat = RecordFormat.Json,
            InteractionsColumns = "user=customer.id,item=lines[].sku,type=:view,time=placed,id=order",
        };
        const int orders = 100;
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < orders; i++)
        {
            string lines = string.Join(',', Enumerable.Range(0, 5).Select(line => $"{{\"sku\":\"s{i}-{line}\"}}"));
            Send(producer, kafka, $"{{\"order\":\"o{i}\",\"customer\":{{\"id\":{i}}},\"placed\":{1_700_000_000 + i},\"lines\":[{lines}]}}");
        }

        Send(producer, kafka, "{\"order\":\"empty\",\"customer\":{\"id\":1},\"placed\":1700000000,\"lines\":[]}");
        Send(producer, kafka, "{\"order\":\"half\",\"customer\":{\"id\":1},\"placed\":1700000000,\"lines\":[{\"sku\":\"good\"},{}]}");
        Send(
            producer,
            kafka,
            $"{{\"order\":\"long\",\"customer\":{{\"id\":1}},\"placed\":1700000000,\"lines\":[{string.Join(',', Enumerable.Repeat("{\"sku\":\"x\"}", 33))}]}}"
        );
        Send(producer, kafka, "{\"order\":\"o0\",\"customer\":{\"id\":0},\"placed\":1700000000,\"lines\":[{\"sku\":\"s0-0\"}]}");
        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync((5 * orders) + 3);
        await source.StopAsync();

        Assert.Equal(
            new EventCounts
            {
                Read = (5 * orders) + 3,
                Decoded = (5 * orders) + 1,
                Trained = 5 * orders,
                DeadLettered = 2,
                Duplicates = 1,
            },
            source.Counts
        );
        Assert.Equal(1, source.Source.Skipped);
        Assert.Equal(1, source.Source.Rejections(DeadLetterReason.NoItem));
        Assert.Equal(1, source.Source.Rejections(DeadLetterReason.TooLarge));
        Assert.All(source.Batches, batch => Assert.Equal(0, batch.Count % 5));
        Assert.Equal(orders + 4, source.Batches[^1].Positions.Single().NextOffset);
    }

    [Fact]
    public async Task Run_CloudEventsInBinaryMode_TakesHeadersKeyAndTimestamp()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with
        {
            InteractionsFormat = RecordFormat.Json,
            InteractionsColumns = "user=$key,item=sku,type=$header.ce_type,id=$header.ce_id",
        };
        using (
            IProducer<byte[], byte[]> producer = new ProducerBuilder<byte[], byte[]>(
                new ProducerConfig { BootstrapServers = kafka.Options.BootstrapServers }
            ).Build()
        )
        {
            for (int i = 0; i < 3; i++)
            {
                await producer.ProduceAsync(
                    kafka.Options.InteractionsTopic,
                    new Message<byte[], byte[]>
                    {
                        Key = Encoding.UTF8.GetBytes($"u{i}"),
                        Value = "{\"sku\":\"i\"}"u8.ToArray(),
                        Timestamp = new Timestamp(Start + i, TimestampType.CreateTime),
                        Headers = new Headers
                        {
                            { "ce_type", Encoding.UTF8.GetBytes(i == 0 ? "impression" : "view") },
                            { "ce_id", Encoding.UTF8.GetBytes($"e{i / 2}") },
                        },
                    },
                    TestContext.Current.CancellationToken
                );
            }
        }

        await using RunningSource source = kafka.Start();
        await source.ReadAsync(3);
        await source.StopAsync();

        Assert.Equal(
            new EventCounts
            {
                Read = 3,
                Decoded = 3,
                Trained = 1,
                HistoryOnly = 1,
                Duplicates = 1,
            },
            source.Counts
        );
        Assert.Equal([(RunningSource.Key("u2"), RunningSource.Key("i"))], source.Examples);
        Assert.Equal(Start + 2, source.Batches.Single(batch => batch.Count == 1).EventTimes[0]);
    }

    [Fact]
    public async Task Run_DebeziumAndConnectByTheirOwnNames_DeletesAndTombstonesAreSkipped()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with { InteractionsFormat = RecordFormat.Json, InteractionsColumns = "auto" };
        using EventProducer producer = new(kafka.Options);
        Send(
            producer,
            kafka,
            "{\"before\":null,\"after\":{\"user_id\":1,\"product_id\":\"a\",\"created_at\":1700000000000000},\"op\":\"c\"}"
        );
        Send(producer, kafka, "{\"schema\":{},\"payload\":{\"userId\":2,\"itemId\":\"b\",\"timestamp\":\"2023-11-14T22:13:20Z\"}}");
        Send(producer, kafka, "{\"before\":{\"user_id\":1},\"after\":null,\"op\":\"d\"}");
        producer.SendRaw(kafka.Options.InteractionsTopic, [1], null, null);
        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(2);
        await KafkaHarness.WaitAsync(() => source.Source.Skipped == 2, "the delete and the tombstone were skipped");
        await source.StopAsync();

        Assert.Equal(
            new EventCounts
            {
                Read = 2,
                Decoded = 2,
                Trained = 2,
            },
            source.Counts
        );
        Assert.Equal([(RunningSource.Key("1"), RunningSource.Key("a")), (RunningSource.Key("2"), RunningSource.Key("b"))], source.Examples);
        Assert.Equal(4, source.Batches[^1].Positions.Single().NextOffset);
    }

    private static void Send(EventProducer producer, KafkaHarness kafka, string json) =>
        producer.SendRaw(kafka.Options.InteractionsTopic, [1], Encoding.UTF8.GetBytes(json), null);
}
