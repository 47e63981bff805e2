using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Contracts;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Lab.Embedded;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>An embedded broker, and sources that read from it.</summary>
internal sealed class KafkaHarness : IDisposable
{
    public KafkaHarness(int partitions = 3, int brokers = 1, bool withItems = false, KafkaAssignment assignment = KafkaAssignment.Static)
    {
        Broker = new EmbeddedBroker(brokers);
        Options = new KafkaOptions
        {
            BootstrapServers = Broker.BootstrapServers,
            Assignment = assignment,
            GroupId = $"g-{Guid.NewGuid():N}",
            ItemsTopic = withItems ? "items" : string.Empty,
            SessionTimeout = TimeSpan.FromSeconds(3), // the duration of a rebalance with this broker
        };
        Broker.CreateTopic(Options.InteractionsTopic, partitions);
        Broker.CreateTopic(Options.DeadLetterTopic, 1);
        if (withItems)
        {
            Broker.CreateTopic(Options.ItemsTopic, 2);
        }
    }

    public EmbeddedBroker Broker { get; }

    public KafkaOptions Options { get; set; }

    public HistoryOptions Histories { get; set; } = new() { Length = 8, MaxUsers = 10_000 };

    public DedupOptions Dedup { get; set; } = new() { Capacity = 100_000 };

    public BatcherOptions Batching { get; set; } = new() { BatchSize = 32, Linger = TimeSpan.FromMilliseconds(20) };

    public Dictionary<string, float> Types { get; } = new(StringComparer.Ordinal) { ["view"] = 1f, ["impression"] = 0f };

    public static Interaction Event(int user, int item, long time, string? id = null, string type = "view") =>
        new()
        {
            UserId = $"user-{user}",
            ItemId = $"item-{item}",
            Type = type,
            EventTimeMs = time,
            EventId = id ?? string.Empty,
        };

    public RunningSource Start(
        IngestState? state = null,
        IEnumerable<StreamPosition>? positions = null,
        int queue = 4,
        ILogger<KafkaSource>? logger = null,
        IReadOnlyList<StreamPosition>? oldEnds = null
    )
    {
        state ??= new IngestState(Histories, Dedup);
        EventRules rules = new(new EventTypes(Types), TimeSpan.FromMinutes(5), TimeProvider.System);
        Batcher batcher = new(
            Batching,
            rules,
            state,
            KafkaSource.CreatePositions(Options, positions ?? []),
            new BatchPool(Batching.BatchSize, Histories.Length),
            TimeProvider.System
        );
        var channel = Channel.CreateBounded<Batch>(queue);
        KafkaSource source = new(
            Options,
            new ItemLimits(),
            batcher,
            channel.Writer,
            TimeProvider.System,
            logger ?? NullLogger<KafkaSource>.Instance
        )
        {
            OldEnds = oldEnds ?? [],
        };
        return new RunningSource(source, batcher, channel.Reader);
    }

    /// <summary>Sends events numbered <paramref name="first"/> and up: event id, user and item all follow from the number.</summary>
    public void Produce(int first, int count)
    {
        using EventProducer producer = new(Options);
        for (int i = first; i < first + count; i++)
        {
            producer.Send(NumberedEvent(i));
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    public static Interaction NumberedEvent(int number) => Event(number % 97, number, 1_700_000_000_000 + number, $"e{number}");

    /// <summary>Asserts that each numbered event was trained on exactly once.</summary>
    public static void AssertEachOnce(int count, IEnumerable<(ulong User, ulong Item)> examples)
    {
        var seen = examples.GroupBy(static example => example.Item).ToDictionary(static group => group.Key, static group => group.Count());
        Assert.DoesNotContain(Enumerable.Range(0, count), i => !seen.ContainsKey(RunningSource.Key($"item-{i}")));
        Assert.DoesNotContain(seen.Values, static times => times != 1);
        Assert.Equal(count, seen.Count);
    }

    public static async Task WaitAsync(Func<bool> condition, string what)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"Waited in vain until {what}.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => Broker.Dispose();
}
