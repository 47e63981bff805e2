using System.Text;
using Confluent.Kafka;
using Streaming.Contracts;
using Streaming.Formats.Files;
using Streaming.Lab.Embedded;
using Streaming.Lab.Feeds;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Lab.Tests.Feeds;

/// <summary>Against the embedded broker: what arrives in the topics.</summary>
public sealed class FeedPumpTests : IDisposable
{
    private readonly EmbeddedBroker _broker = new();
    private readonly KafkaOptions _options;

    public FeedPumpTests()
    {
        _options = new KafkaOptions { BootstrapServers = _broker.BootstrapServers };
        _broker.CreateTopic(_options.InteractionsTopic, 1);
        _broker.CreateTopic(_options.ItemsTopic, 1);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task RunAsync_EveryKindOfRecord_ArrivesAsTheContractHasIt()
    {
        var listed = new ListFeed(
            Item("item-1"),
            Event("user-1", "item-1", 1000) with
            {
                Event = new EventRow("user-1", "item-1", 1000, "purchase", "e1", 9.5, 2500),
            },
            new FeedRecord { Kind = FeedKind.Malformed },
            Event("user-2", "item-1", 2000)
        );
        using var producer = new EventProducer(_options);
        var pump = new FeedPump(listed, producer, _options, new FeedPace(), TimeProvider.System);

        await pump.RunAsync(Stop);

        Assert.Equal(3, pump.Produced);
        Assert.Equal(4, producer.Delivered);
        ConsumeResult<byte[], byte[]>[] events = Read(_options.InteractionsTopic, 3);
        Assert.Equal(["user-1", "broken-1", "user-2"], events.Select(record => Encoding.UTF8.GetString(record.Message.Key)));
        Assert.Equal(
            new Interaction
            {
                UserId = "user-1",
                ItemId = "item-1",
                Type = "purchase",
                EventTimeMs = 1000,
                EventId = "e1",
                Value = 9.5,
                DwellMs = 2500,
            },
            Interaction.Parser.ParseFrom(events[0].Message.Value)
        );
        Interaction bare = Interaction.Parser.ParseFrom(events[2].Message.Value);
        Assert.Equal((false, false, string.Empty), (bare.HasValue, bare.HasDwellMs, bare.EventId));
        Item item = Contracts.Item.Parser.ParseFrom(Read(_options.ItemsTopic, 1)[0].Message.Value);
        Assert.Equal(("item-1", "a title"), (item.ItemId, item.Text["title"]));
        Assert.Equal([1f, 2f], item.Features["text"].Values);
    }

    [Fact]
    public async Task RunAsync_WithoutItemsTopic_SendsNoItems()
    {
        KafkaOptions options = _options with { ItemsTopic = string.Empty };
        using var producer = new EventProducer(options);
        var pump = new FeedPump(
            new ListFeed(Item("item-1"), Event("user-1", "item-1", 1000)),
            producer,
            options,
            new FeedPace(),
            TimeProvider.System
        );

        await pump.RunAsync(Stop);

        Assert.Equal(1, producer.Delivered);
    }

    /// <summary>The n-th record leaves when n ÷ rate seconds have gone by, not before.</summary>
    [Fact]
    public async Task RunAsync_Rate_IsNotExceeded()
    {
        var time = new SteppedTime();
        using var producer = new EventProducer(_options);
        var pump = new FeedPump(Endless(), producer, _options, new FeedPace { Rate = 10, Duration = TimeSpan.FromSeconds(3) }, time);
        time.Observe = elapsed => Assert.InRange(pump.Produced, 0, (long)Math.Ceiling(elapsed.TotalSeconds * 10) + 1);

        await pump.RunAsync(Stop);

        Assert.InRange(pump.Produced, 29, 31);
    }

    [Fact]
    public async Task RunAsync_MostAhead_WaitsForTheConsumer()
    {
        long consumed = 0,
            furthest = 0;
        using var producer = new EventProducer(_options);
        FeedPump? pump = null;
        var time = new SteppedTime { Observe = _ => (furthest, consumed) = (Math.Max(furthest, pump!.Produced - consumed), consumed + 1) };
        pump = new FeedPump(
            new ListFeed([.. Enumerable.Range(0, 60).Select(i => Event($"user-{i}", "item-1", i))]),
            producer,
            _options,
            new FeedPace { MostAhead = 5, Consumed = () => consumed },
            time
        );

        await pump.RunAsync(Stop);

        Assert.Equal(60, pump.Produced);
        Assert.Equal(5, furthest);
    }

    [Fact]
    public async Task RunAsync_Stopped_ConfirmsWhatWasSent()
    {
        using var stop = new CancellationTokenSource();
        using var producer = new EventProducer(_options);
        FeedPump? pump = null;
        var time = new SteppedTime
        {
            Observe = _ =>
            {
                if (pump!.Produced >= 7)
                {
                    stop.Cancel();
                }
            },
        };
        pump = new FeedPump(Endless(), producer, _options, new FeedPace { Rate = 100 }, time);

        await pump.RunAsync(stop.Token);

        Assert.InRange(pump.Produced, 7, 9);
        Assert.Equal(pump.Produced, producer.Delivered);
    }

    private static FeedRecord Event(string user, string item, long at) =>
        new() { Kind = FeedKind.Interaction, Event = new EventRow(user, item, at, "view", null) };

    private static FeedRecord Item(string id) =>
        new()
        {
            Kind = FeedKind.Item,
            ItemId = id,
            Text = new Dictionary<string, string> { ["title"] = "a title" },
            Features = new Dictionary<string, float[]> { ["text"] = [1, 2] },
        };

    private static ListFeed Endless() => new([.. Enumerable.Range(0, 5000).Select(i => Event($"user-{i}", "item-1", i))]);

    private ConsumeResult<byte[], byte[]>[] Read(string topic, int count)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig { BootstrapServers = _broker.BootstrapServers, GroupId = "read" }
        ).Build();
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                    consumer.Consume(TimeSpan.FromSeconds(60)) ?? throw new TimeoutException($"{topic} has fewer than {count} records.")
                ),
        ];
    }

    private sealed class ListFeed(params FeedRecord[] records) : EventFeed
    {
        private int _next;

        public override long? Count => records.Length;

        public override string Description => "a list";

        public override bool TryNext(out FeedRecord record)
        {
            record = _next < records.Length ? records[_next] : default;
            return _next++ < records.Length;
        }

        public override string? TitleOf(string item) => null;
    }

    /// <summary>A clock on which a wait takes exactly as long as it says, at once.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;

        public Action<TimeSpan> Observe { get; set; } = static _ => { };

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Observe(TimeSpan.FromTicks(Interlocked.Add(ref _ticks, dueTime.Ticks)));
            return base.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
