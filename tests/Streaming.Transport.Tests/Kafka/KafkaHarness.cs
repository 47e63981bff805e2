using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Contracts;
using Streaming.Core;

namespace Streaming.Transport.Tests;

/// <summary>An embedded broker, and sources that read from it.</summary>
internal sealed class KafkaHarness : IDisposable
{
    public KafkaHarness(int partitions = 3, int brokers = 1, bool withItems = false)
    {
        Broker = new EmbeddedBroker(brokers);
        Options = new KafkaOptions
        {
            BootstrapServers = Broker.BootstrapServers,
            GroupId = $"g-{Guid.NewGuid():N}",
            ItemsTopic = withItems ? "items" : string.Empty,
            SessionTimeout = TimeSpan.FromSeconds(6),
        };
        Broker.CreateTopic(Options.InteractionsTopic, partitions);
        Broker.CreateTopic(Options.DeadLetterTopic, 1);
        if (withItems)
        {
            Broker.CreateTopic(Options.ItemsTopic, 2);
        }
    }

    public EmbeddedBroker Broker { get; }

    public KafkaOptions Options { get; }

    public HistoryOptions Histories { get; } = new() { Length = 8, MaxUsers = 10_000 };

    public DedupOptions Dedup { get; } = new() { Capacity = 100_000 };

    public BatcherOptions Batching { get; } = new() { BatchSize = 32, Linger = TimeSpan.FromMilliseconds(20) };

    public Dictionary<string, float> Types { get; } = new(StringComparer.Ordinal) { ["view"] = 1f, ["impression"] = 0f };

    public static Interaction Event(int user, int item, long time, string? id = null, string type = "view")
        => new() { UserId = $"user-{user}", ItemId = $"item-{item}", Type = type, EventTimeMs = time, EventId = id ?? string.Empty };

    public RunningSource Start(IngestState? state = null, IEnumerable<StreamPosition>? positions = null, int queue = 4, ILogger<KafkaSource>? logger = null)
    {
        state ??= new IngestState(Histories, Dedup);
        EventRules rules = new(new EventTypes(Types), TimeSpan.FromMinutes(5), TimeProvider.System);
        Batcher batcher = new(Batching, rules, state, KafkaSource.CreatePositions(Options, positions ?? []), new BatchPool(Batching.BatchSize, Histories.Length), TimeProvider.System);
        Channel<Batch> channel = Channel.CreateBounded<Batch>(queue);
        KafkaSource source = new(Options, new ItemLimits(), batcher, channel.Writer, TimeProvider.System, logger ?? NullLogger<KafkaSource>.Instance);
        return new RunningSource(source, batcher, channel.Reader);
    }

    public void Dispose() => Broker.Dispose();
}
