using System.Text;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class KafkaSourceCatalogueTests
{
    [Fact]
    public async Task Run_CatalogueThere_IsReadToItsEndBeforeTheFirstEvent()
    {
        using KafkaHarness kafka = new(withItems: true);
        kafka.Produce(0, 200);
        SendItems(kafka, 0, 5000);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(200);
        int firstEvents = source.Batches.FindIndex(static batch => batch.Count > 0);
        Assert.Equal(5000, source.Batches.Take(firstEvents).Sum(static batch => batch.ItemChanges.Count));
        Assert.True(source.Source.Status.IsCatalogueRead);
        Assert.Equal(
            5000,
            source.Batches[^1].Positions.Where(static position => position.Topic == "items").Sum(static position => position.NextOffset)
        );
    }

    [Fact]
    public async Task Run_CatalogueChanges_RideInBatchesOnceEach()
    {
        using KafkaHarness kafka = new(withItems: true);
        await using RunningSource source = kafka.Start();
        SendItems(kafka, 0, 100);
        using EventProducer producer = new(kafka.Options);
        producer.SendRemoval("item-3");
        producer.SendRaw(kafka.Options.ItemsTopic, "x"u8.ToArray(), [0xFF], null);
        producer.Flush(TestContext.Current.CancellationToken);
        while (
            source.Batches.Sum(static batch => batch.ItemChanges.Count) < 101 || source.Source.Rejections(DeadLetterReason.Malformed) < 1
        )
        {
            await source.NextAsync();
        }

        await source.StopAsync();
        ItemChange[] changes = [.. source.Batches.SelectMany(static batch => batch.ItemChanges)];
        Assert.Equal(101, changes.Length);
        ItemChange[] third = [.. changes.Where(static change => change.ItemId == "item-3")];
        Assert.Equal([false, true], third.Select(static change => change.IsRemoved));
        Assert.Equal([3f, 1f], third[0].Features["text"]);
        Assert.Equal(0, source.Counts.Read); // items are not events

        // A restart continues after them.
        StreamPosition[] positions = [.. source.Batches[^1].Positions];
        SendItems(kafka, 100, 10);
        await using RunningSource next = kafka.Start(positions: positions);
        await next.ReadUntilAsync(_ => next.Batches.Sum(static batch => batch.ItemChanges.Count) >= 10);
        Assert.Equal(
            Enumerable.Range(100, 10).Select(static i => $"item-{i}").Order(),
            next.Batches.SelectMany(static batch => batch.ItemChanges).Select(static change => change.ItemId).Order()
        );
    }

    [Fact]
    public async Task Run_CatalogueRefusedAsAWhole_IsSaidAndNoChange()
    {
        using KafkaHarness kafka = new(withItems: true);
        SendQuoted(kafka, 12);
        RecordingLogger logger = new();
        await using RunningSource source = kafka.Start(logger: logger);
        await KafkaHarness.WaitAsync(
            () =>
                source.Source.Status is { IsCatalogueRead: true } status
                && status.Problem.StartsWith(
                    "12 of the newest 12 records of topic 'items' are dead letters, the last: KeyMismatch, the key is \"\"item-",
                    StringComparison.Ordinal
                ),
            "the refusals are a problem"
        );
        Assert.EndsWith(
            "allowed: the same bytes, or no key (the key is written as JSON: send the id alone)",
            source.Source.Status.Problem,
            StringComparison.Ordinal
        );
        Assert.Contains(
            source.Source.Status.Rejected,
            static rejected => rejected is { Topic: "items", Reason: DeadLetterReason.KeyMismatch, Records: 12 }
        );
        Assert.Contains("Read the catalogue to its end: 0 changes, 12 unusable records", logger.Lines);
        Assert.Single(logger.Lines, static line => line.StartsWith("items: ", StringComparison.Ordinal));

        SendItems(kafka, 0, 13);
        await KafkaHarness.WaitAsync(() => source.Source.Status.Problem.Length == 0, "most are good again");
    }

    [Fact]
    public async Task Run_CatalogueRefusedInAWindow_EndsTheRun()
    {
        using KafkaHarness kafka = new(withItems: true);
        kafka.Options = kafka.Options with { DeadLetterWindow = 50 };
        SendQuoted(kafka, 60);
        await using RunningSource source = kafka.Start();
        KafkaSourceException error = await Assert.ThrowsAsync<KafkaSourceException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)
        );
        Assert.StartsWith(
            "50 of the newest 50 records of topic 'items' were dead letters, the last: KeyMismatch",
            error.Message,
            StringComparison.Ordinal
        );
    }

    // A producer that serializes keys as JSON.
    private static void SendQuoted(KafkaHarness kafka, int count)
    {
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < count; i++)
        {
            producer.SendRaw(
                kafka.Options.ItemsTopic,
                Encoding.UTF8.GetBytes($"\"item-{i}\""),
                new Item { ItemId = $"item-{i}" }.ToByteArray(),
                null
            );
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    private static void SendItems(KafkaHarness kafka, int first, int count)
    {
        using EventProducer producer = new(kafka.Options);
        for (int i = first; i < first + count; i++)
        {
            producer.Send(
                new Item
                {
                    ItemId = $"item-{i}",
                    Features = { ["text"] = new Features { Values = { i, 1f } } },
                    Text = { ["title"] = $"Title {i}" },
                }
            );
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }
}
