using System.Text;
using Confluent.Kafka;
using Streaming.Kafka.Tests.Bench;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.DeadLetters;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Dead letters in a real topic: by time, and back to where they came from.</summary>
public sealed class DeadLetterTests(KafkaServers servers)
{
    private static readonly DateTimeOffset Started = TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Read_FromATimeToATime_TakesWhatWasSentBetween()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        KafkaOptions options = OptionsOf(bench);
        DateTimeOffset start = Start();
        for (int i = 0; i < 10; i++)
        {
            await SendAsync(bench, i, start.AddSeconds(i), i % 2 == 0 ? "NoUser" : "Malformed");
        }

        using var reader = new DeadLetterReader(options);
        Assert.Equal([3, 4, 5], Offsets(reader, new DeadLetterRange(At(start.AddSeconds(3)), At(start.AddSeconds(6)))));
        Assert.Equal([4, 6, 8], Offsets(reader, new DeadLetterRange(At(start.AddSeconds(4)), Reasons: ["nouser"])));
        Assert.Empty(Offsets(reader, new DeadLetterRange(At(start.AddDays(1)))));
        Assert.Equal(Enumerable.Range(0, 10).Select(static i => (long)i), Offsets(reader, new DeadLetterRange(At(start.AddHours(-1)))));
    }

    [Fact]
    public async Task Replay_EveryDeadLetter_KeepsPartitionsTimesAndOrder()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        DateTimeOffset start = Start();
        for (int i = 0; i < 300; i++)
        {
            await SendAsync(bench, i, start.AddSeconds(i), "NoUser");
        }

        KafkaOptions options = OptionsOf(bench);
        using var reader = new DeadLetterReader(options);
        using (var replay = new DeadLetterReplay(options))
        {
            foreach (StoredDeadLetter letter in reader.Read(new DeadLetterRange(), TestContext.Current.CancellationToken))
            {
                Assert.Null(replay.Objection(letter));
                replay.Send(letter, TestContext.Current.CancellationToken);
            }

            replay.Flush();
            Assert.Equal(300, replay.Delivered);
        }

        List<ConsumeResult<byte[], byte[]>> records = Consume(bench, 300);
        Assert.All(
            records.GroupBy(static record => record.Partition.Value),
            static partition =>
            {
                int[] numbers =
                [
                    .. partition.Select(static record =>
                        int.Parse(Encoding.UTF8.GetString(record.Message.Value), System.Globalization.CultureInfo.InvariantCulture)
                    ),
                ];
                Assert.All(numbers, number => Assert.Equal(partition.Key, number % 3));
                Assert.Equal(numbers.Order(), numbers);
            }
        );
        Assert.All(records, record => Assert.Equal(Start().ToUnixTimeMilliseconds(), record.Message.Timestamp.UnixTimestampMs));
    }

    // Whole seconds of half an hour ago: what is older than its retention, a topic deletes.
    private static DateTimeOffset Start() => DateTimeOffset.FromUnixTimeSeconds(Started.ToUnixTimeSeconds() - 1800);

    private static KafkaOptions OptionsOf(KafkaBench bench) =>
        new()
        {
            BootstrapServers = bench.Cluster.BootstrapServers,
            InteractionsTopic = bench.Events,
            ItemsTopic = string.Empty,
            DeadLetterTopic = bench.DeadLetters,
        };

    private static DeadLetterPoint At(DateTimeOffset time) =>
        DeadLetterPoint.TryParse(
            time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            out DeadLetterPoint point
        )
            ? point
            : throw new FormatException();

    private static long[] Offsets(DeadLetterReader reader, DeadLetterRange range) =>
        [.. reader.Read(range, TestContext.Current.CancellationToken).Select(static letter => letter.Offset)];

    private static async Task SendAsync(KafkaBench bench, int number, DateTimeOffset time, string reason)
    {
        using IProducer<byte[]?, byte[]> producer = new ProducerBuilder<byte[]?, byte[]>(bench.Cluster.Client).Build();
        Headers headers = [];
        foreach (
            (string name, string text) in ((string, string)[])
                [
                    ("reason", reason),
                    ("topic", bench.Events),
                    ("partition", $"{number % 3}"),
                    ("offset", $"{number}"),
                    ("timestamp", $"{Start().ToUnixTimeMilliseconds()}"),
                ]
        )
        {
            headers.Add(name, Encoding.UTF8.GetBytes(text));
        }

        await producer.ProduceAsync(
            bench.DeadLetters,
            new Message<byte[]?, byte[]>
            {
                Value = Encoding.UTF8.GetBytes($"{number}"),
                Headers = headers,
                Timestamp = new Timestamp(time),
            },
            TestContext.Current.CancellationToken
        );
    }

    private static List<ConsumeResult<byte[], byte[]>> Consume(KafkaBench bench, int count)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig(bench.Cluster.Client) { GroupId = "reader" }
        ).Build();
        consumer.Assign([
            .. Enumerable.Range(0, 3).Select(partition => new TopicPartitionOffset(bench.Events, partition, Offset.Beginning)),
        ]);
        List<ConsumeResult<byte[], byte[]>> records = [];
        while (records.Count < count && consumer.Consume(TimeSpan.FromSeconds(30)) is { } record)
        {
            records.Add(record);
        }

        return records;
    }
}
