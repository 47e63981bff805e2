using System.Text;
using Streaming.Core;
using Xunit;

namespace Streaming.Transport.Tests;

public class KafkaSourceTests
{
    private const long Start = 1_700_000_000_000;

    [Theory]
    [InlineData(KafkaAssignment.Group)]
    [InlineData(KafkaAssignment.Static)]
    public async Task Run_EventsOfEveryKind_EachMeetsExactlyOneEnd(KafkaAssignment assignment)
    {
        using KafkaHarness kafka = new();
        kafka.Options.Assignment = assignment;
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < 1000; i++)
        {
            producer.Send(KafkaHarness.Event(i % 50, i % 70, Start + i, $"e{i}"));
        }

        for (int i = 0; i < 100; i++)
        {
            producer.Send(KafkaHarness.Event(i % 50, i % 70, Start + i, $"e{i}")); // again
            producer.Send(KafkaHarness.Event(i % 50, i % 70, Start + i, type: "impression"));
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], Encoding.UTF8.GetBytes($"bad {i}"), null);
        }

        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(1300);
        await source.StopAsync();

        Assert.Equal(new EventCounts { Read = 1300, Decoded = 1200, Trained = 1000, HistoryOnly = 100, DeadLettered = 100, Duplicates = 100 }, source.Counts);
        Assert.Equal(source.Counts, source.Batcher.Totals);
        Assert.Equal(1000, source.Examples.Count());
        Assert.NotNull(source.Batches[^1].Snapshot);
        Assert.Equal(1300, source.Batches[^1].Positions.Sum(static position => position.NextOffset));
    }
}
