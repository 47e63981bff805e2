using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>The catalogue topic, compacted while it is read.</summary>
public sealed class CatalogueTests(KafkaServers servers)
{
    private const int Kept = 50;
    private const int Removed = 10;

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Consumer)]
    public async Task Catalogue_CompactedBeforeAndWhileRunning_IsWhatItsLastRecordsSay(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await bench.CreateItemsAsync();
        int sent = await SendVersionsAsync(bench, 3);
        await UntilCompactedAsync(bench, sent);
        await bench.Ledger.SendAsync(400);

        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(400);
        double before = await worker.MetricAsync("streaming_items");
        sent += await SendVersionsAsync(bench, 3);
        await UntilCompactedAsync(bench, sent);
        await bench.Ledger.SendAsync(400);

        await worker.UntilAsync(
            static async one => await one.MetricAsync("streaming_items") == Kept,
            $"{Kept} items are there, and {Removed} are gone"
        );
        Assert.Equal(Kept, before);
        await bench.FinishAsync(worker);
    }

    [Fact]
    public async Task Catalogue_DeletedAndRecreated_IsLearnedAgainWhereMissingRecordsMayBeSkipped()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        await bench.CreateItemsAsync();
        await SendVersionsAsync(bench, 2);
        await bench.Ledger.SendAsync(200);
        await using (WorkerProcess first = bench.StartWorker())
        {
            await first.UntilReadAsync(200);
            Assert.Equal(0, await first.TerminateAsync());
        }

        await bench.DeleteAsync(bench.Items);
        await bench.CreateItemsAsync();
        await SendVersionsAsync(bench, 1);
        await bench.Ledger.SendAsync(200);
        await using (WorkerProcess refusing = bench.StartWorker())
        {
            Assert.Equal(65, await refusing.WaitForExitAsync());
            Assert.Contains(bench.Items, refusing.Log, StringComparison.Ordinal);
        }

        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Kafka__SkipMissing", "true"));
        await worker.UntilAsync(static async one => await one.MetricAsync("streaming_items") == Kept, $"{Kept} items are there");
        await bench.FinishAsync(worker);
    }

    /// <summary>Sends every item repeatedly; those to be removed are removed at the end.</summary>
    private static async Task<int> SendVersionsAsync(KafkaBench bench, int versions)
    {
        using IProducer<byte[], byte[]?> producer = new ProducerBuilder<byte[], byte[]?>(
            new ProducerConfig(new Dictionary<string, string>(bench.Cluster.Client))
        ).Build();
        int sent = 0;
        for (int version = 0; version <= versions; version++)
        {
            for (int i = 0; i < Kept + Removed; i++)
            {
                bool isGone = i >= Kept && version == versions;
                var item = new Item { ItemId = $"i{i}", Text = { ["title"] = $"item {i}, version {version}" } };
                producer.Produce(
                    bench.Items,
                    new Message<byte[], byte[]?> { Key = Encoding.UTF8.GetBytes(item.ItemId), Value = isGone ? null : item.ToByteArray() }
                );
                sent++;
            }

            producer.Flush(CancellationToken.None);

            // Older than a segment may be, so that the next record closes the segment: only closed ones are compacted.
            await Task.Delay(1_100);
        }

        return sent;
    }

    /// <summary>Waits until the broker has fewer records than were sent.</summary>
    private static async Task UntilCompactedAsync(KafkaBench bench, int sent)
    {
        int count = sent;
        await Until.TrueAsync(() => Task.FromResult((count = Count(bench)) < sent), () => $"the broker compacts its {count} records");
    }

    private static int Count(KafkaBench bench)
    {
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig(new Dictionary<string, string>(bench.Cluster.Client))
            {
                GroupId = "counting",
                EnablePartitionEof = true,
                EnableAutoCommit = false,
            }
        ).Build();
        TopicPartitionOffset[] partitions =
        [
            .. Enumerable.Range(0, 2).Select(partition => new TopicPartitionOffset(bench.Items, partition, Offset.Beginning)),
        ];
        consumer.Assign(partitions);
        int records = 0;
        for (int ends = 0; ends < partitions.Length; )
        {
            if (consumer.Consume(CancellationToken.None).IsPartitionEOF)
            {
                ends++;
            }
            else
            {
                records++;
            }
        }

        return records;
    }
}
