using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Records as various producers write them.</summary>
public sealed class RecordTests(KafkaServers servers)
{
    [Theory]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Compressed_AreReadAsAnyOthers(CompressionType compression)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        await using var compressed = new Ledger(
            bench.Cluster.Client,
            bench.Events,
            producer =>
            {
                producer.CompressionType = compression;
                producer.LingerMs = 50;
            }
        );
        await compressed.SendAsync(500);
        await using WorkerProcess worker = bench.StartWorker();

        await bench.FinishAsync(worker, compressed.Expected());
    }

    [Fact]
    public async Task WithHeadersWithoutKeysWithoutValues_AreEventsOrDeadLettersWithWhatTheyHad()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, partitions: 1);
        Headers headers = [new Header("trace", "00-abc"u8.ToArray()), new Header("nothing", null)];
        for (int i = 0; i < 100; i++)
        {
            Contracts.Interaction interaction = bench.Ledger.NewEvent();
            byte[]? key = (i % 3) switch
            {
                0 => null,
                1 => [],
                _ => Encoding.UTF8.GetBytes(interaction.UserId),
            };
            await bench.Ledger.SendAsync(key, interaction.ToByteArray(), i % 2 == 0 ? headers : null, Fate.Train, interaction.ItemId);
        }

        await bench.Ledger.SendAsync(null, null, null, Fate.Dead);
        await bench.Ledger.SendAsync("k"u8.ToArray(), null, headers, Fate.Dead);
        await bench.Ledger.SendAsync("k"u8.ToArray(), [], headers, Fate.Dead);
        await bench.Ledger.SendAsync(null, "garbage"u8.ToArray(), null, Fate.Dead);
        await using WorkerProcess worker = bench.StartWorker();
        await bench.FinishAsync(worker);

        List<Message<byte[]?, byte[]?>> letters = [.. Read(bench, 4).Select(static result => result.Message)];
        Assert.Equal(
            [100, 101, 102, 103],
            letters.Select(static letter => long.Parse(Header(letter, "offset"), CultureInfo.InvariantCulture))
        );
        Assert.All(letters, letter => Assert.Equal((bench.Events, "0"), (Header(letter, "topic"), Header(letter, "partition"))));
        Assert.Equal(["Empty", "Empty", "Empty", "Malformed"], letters.Select(static letter => Header(letter, "reason")));
        Assert.Equal(
            [null, "k"u8.ToArray(), "k"u8.ToArray(), null],
            letters.Select(static letter => letter.Key is { Length: > 0 } key ? key : null)
        );
        Assert.Equal("garbage"u8.ToArray(), letters[3].Value);
    }

    private static string Header(Message<byte[]?, byte[]?> letter, string name) =>
        Encoding.UTF8.GetString(letter.Headers.GetLastBytes(name));

    private static List<ConsumeResult<byte[]?, byte[]?>> Read(KafkaBench bench, int count)
    {
        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(
            new ConsumerConfig(new Dictionary<string, string>(bench.Cluster.Client))
            {
                GroupId = "reading",
                EnablePartitionEof = true,
                EnableAutoCommit = false,
            }
        ).Build();
        consumer.Assign(new TopicPartitionOffset(bench.DeadLetters, 0, Offset.Beginning));
        List<ConsumeResult<byte[]?, byte[]?>> records = [];
        while (consumer.Consume(CancellationToken.None) is { IsPartitionEOF: false } record)
        {
            records.Add(record);
        }

        Assert.Equal(count, records.Count);
        return records;
    }
}
