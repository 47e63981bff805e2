using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Core.Histories;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Commands;
using Streaming.Worker.Run;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

/// <summary>A real Redis with what a trainer publishes: 30 items i0 … i29 of widths 4 and 8 with facts, towers and histories.</summary>
internal sealed class PublishedShop : IAsyncDisposable
{
    /// <summary>The attributes of the items' facts, as a generation's record lists them.</summary>
    public static readonly string[] Attributes = ["category", "brand", "tags[]", "price:number", "available:boolean"];

    private PublishedShop(LocalRedisServer server, ConnectionMultiplexer redis, WorkerOptions settings)
    {
        Server = server;
        Redis = redis;
        Settings = settings;
    }

    public LocalRedisServer Server { get; }

    public ConnectionMultiplexer Redis { get; }

    public WorkerOptions Settings { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<PublishedShop> OpenAsync()
    {
        LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        WorkerOptions settings = WorkerSettings.Options(
            new Dictionary<string, string>
            {
                ["STREAMING__Redis__Configuration"] = server.Configuration,
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Model__HistoryLength"] = "5",
                ["STREAMING__Model__ItemCapacity"] = "32",
                ["STREAMING__Model__BankCapacity"] = "8",
                ["STREAMING__Http__MaxItems"] = "6",
                ["STREAMING__Serve__RefreshInterval"] = "20ms",
            }
        );
        var shop = new PublishedShop(server, await RedisConnection.OpenAsync(settings.Redis, Stop), settings);
        await shop.PublishItemsAsync();
        return shop;
    }

    public async ValueTask DisposeAsync()
    {
        Redis.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>Publishes the user towers, and the record of the generation: with it readers see the attributes that it lists.</summary>
    public Task PublishTowersAsync(params string[] attributes) => PublishTowersAsync(1, attributes);

    /// <summary>The same of another generation.</summary>
    public async Task PublishTowersAsync(uint generation, params string[] attributes)
    {
        ModelOptions model = Settings.Model;
        using var engine = new CpuEngine(model, threads: 1);
        using TensorSource parameters = engine.CopyParameters();
        await new GenerationPublisher(Redis.GetDatabase(), Settings.Redis, TimeProvider.System).PublishAsync(
            new GenerationRecord
            {
                Generation = generation,
                Token = 1,
                Step = 9,
                Widths = model.Widths,
                Attributes = attributes,
            },
            model.Widths.Select(width =>
            {
                using MemoryStream file = new();
                SlicedModel.Write(parameters, model, width, new ModelVersion(generation, 1, 9), projection: false, file);
                return KeyValuePair.Create(width, file.ToArray());
            }),
            Stop
        );
    }

    public async Task PublishHistoryAsync(string user, params string[] items)
    {
        HistoryStore histories = new(new HistoryOptions { Length = 5, MaxUsers = 10 });
        for (int i = 0; i < items.Length; i++)
        {
            histories.Append(RedisKeys.Hash(user), RedisKeys.Hash(items[i]), 1_700_000_000_000 + i, 0, new ulong[5]);
        }

        UserHistoryBatch batch = new(1, 5);
        batch.Add(histories, RedisKeys.Hash(user), 0);
        await new UserHistoryPublisher(Redis.GetDatabase(), Settings.Redis, TimeProvider.System).PublishAsync(batch, 1, Stop);
    }

    /// <summary>Publishes what was counted with an item: neighbors, best first.</summary>
    public Task PublishCountsAsync(string item, params string[] neighbors)
    {
        RelatedItem[] related = [.. neighbors.Select((id, i) => new RelatedItem(RedisKeys.Hash(id), 1f / (i + 1)))];
        byte[] value = RelatedItemsValue.Encode(new RelatedItems(1, related, []), 1, 7);
        RedisKey key = new RedisKeys(Settings.Redis.Model, Settings.Redis.Partitions).Related(1, RedisKeys.Hash(item));
        return Redis.GetDatabase().StringSetAsync(key, value);
    }

    private static string AttributesOf(int i)
    {
        string tags = i % 2 == 0 ? "\"tags\":[\"sale\"]," : string.Empty,
            category = new[] { "shoes", "boots", "bags" }[i % 3],
            brand = i % 5 == 0 ? "acme" : "other",
            available = i % 4 == 0 ? "false" : "true";
        return $$"""{"category":"{{category}}","brand":"{{brand}}",{{tags}}"price":{{i}},"available":{{available}}}""";
    }

    /// <summary>Publishes the items with other vectors in each generation.</summary>
    public async Task PublishItemsAsync(uint generation = 1)
    {
        var publisher = new EmbeddingPublisher(Redis.GetDatabase(), Settings.Redis, Settings.Model.Widths, TimeProvider.System)
        {
            PublishesFacts = true,
        };
        await publisher.OpenAsync(generation, 1, Stop);
        var random = new Random(3 + (int)generation);
        IEnumerable<Refresh> items = Enumerable
            .Range(0, 30)
            .Select(i => new Refresh(
                RedisKeys.Hash($"i{i}"),
                $"i{i}",
                [.. Enumerable.Range(0, 8).Select(_ => random.NextSingle() - 0.5f)],
                7,
                0,
                0
            )
            {
                Facts = new(AttributesOf(i), i, 1_700_000_000_000 + (i * 1000))
                {
                    // Of late the items with the fewest events are the most popular.
                    Popularity = i == 0 ? 0 : 1_700_000_500_000 - (i * 1000),
                },
            });
        await publisher.PublishAsync([.. items], [], Stop);
    }
}
