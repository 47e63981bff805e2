using StackExchange.Redis;
using Streaming.Contracts;
using Streaming.Lab.Embedded;
using Streaming.Transport.Kafka;
using Streaming.Worker.Commands;
using Streaming.Worker.Run;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>A broker, a Redis and a folder for a worker that is watched, and means to disturb them.</summary>
internal sealed class WatchedBench : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-alerts-").FullName;
    private EventProducer? _producer;
    private long _number;

    private WatchedBench(LocalRedisServer redis)
    {
        Redis = redis;
        Settings = new(StringComparer.Ordinal)
        {
            ["STREAMING__Kafka__BootstrapServers"] = Broker.BootstrapServers,
            ["STREAMING__Kafka__MetadataRefresh"] = "100ms",
            ["STREAMING__Kafka__SessionTimeout"] = "3s",
            ["STREAMING__Kafka__GroupId"] = "alerts",
            ["STREAMING__Redis__Configuration"] = redis.Configuration,
            ["STREAMING__Redis__Model"] = "alerts",
            ["STREAMING__Redis__LeaseDuration"] = "2s",
            ["STREAMING__Redis__ConnectTimeout"] = "1s",
            ["STREAMING__Redis__CommandTimeout"] = "500ms",
            ["STREAMING__Redis__RetryAttempts"] = "1",
            ["STREAMING__Redis__RetryDelay"] = "20ms",
            ["STREAMING__Batching__BatchSize"] = "32",
            ["STREAMING__Batching__Linger"] = "20ms",
            ["STREAMING__Model__Widths"] = "8,16",
            ["STREAMING__Model__HistoryLength"] = "10",
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__ItemCapacity"] = "1000",
            ["STREAMING__Model__BankCapacity"] = "256",
            ["STREAMING__Model__FeatureGroups"] = "num:2",
            ["STREAMING__Training__Refresh__RefreshInterval"] = "1s",
            ["STREAMING__Training__UniformNegatives"] = "64",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Pipeline__PublishInterval"] = "50ms",
            ["STREAMING__Checkpoint__Interval"] = "1s",
            ["STREAMING__Checkpoint__Folder"] = Path.Combine(Disk, "checkpoints"),
            ["STREAMING__Http__Port"] = "0",
        };
        Directory.CreateDirectory(Disk);
    }

    public EmbeddedBroker Broker { get; } = new();

    public LocalRedisServer Redis { get; }

    public Dictionary<string, string> Settings { get; }

    public WorkerOptions Values => WorkerSettings.Options(Settings);

    /// <summary>Gets the folder above the checkpoints.</summary>
    public string Disk => Path.Combine(_folder, "disk");

    public static async Task<WatchedBench> StartAsync(params string[] redis) =>
        new(await LocalRedisServer.StartAsync(redis, TestContext.Current.CancellationToken));

    /// <summary>Runs a command in Redis with all rights.</summary>
    public async Task RedisAsync(string command, params object[] arguments)
    {
        using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(Redis.Configuration + ",allowAdmin=true");
        await redis.GetDatabase().ExecuteAsync(command, arguments);
    }

    /// <summary>Sends events of 50 users and 30 items.</summary>
    /// <param name="count">How many.</param>
    /// <param name="id">An event's id by its number; null: each has its own.</param>
    /// <param name="age">How long ago they happened.</param>
    public void SendEvents(int count, Func<int, string>? id = null, TimeSpan age = default)
    {
        EventProducer producer = Producer();
        for (int i = 0; i < count; i++)
        {
            producer.Send(
                new Interaction
                {
                    UserId = $"u{i % 50}",
                    ItemId = $"i{i % 30}",
                    Type = "click",
                    EventId = id?.Invoke(i) ?? $"event-{_number++}",
                    EventTimeMs = (TimeProvider.System.GetUtcNow() - age).ToUnixTimeMilliseconds(),
                }
            );
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    /// <summary>Sends catalogue records of items i0 … i29.</summary>
    public void SendItems(params float[] features)
    {
        EventProducer producer = Producer();
        for (int i = 0; i < 30; i++)
        {
            var item = new Item { ItemId = $"i{i}" };
            item.Features.Add("num", new Features { Values = { features } });
            producer.Send(item);
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    /// <summary>Sends catalogue records that nobody can read.</summary>
    public void SendGarbage(int count)
    {
        EventProducer producer = Producer();
        for (int i = 0; i < count; i++)
        {
            producer.SendRaw("items", [(byte)'x', (byte)i], "{not an item"u8.ToArray(), null);
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _producer?.Dispose();
        Broker.Dispose();
        await Redis.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private EventProducer Producer() => _producer ??= new EventProducer(Values.Kafka);
}
