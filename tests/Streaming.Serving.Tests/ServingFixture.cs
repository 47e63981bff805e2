using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Core.Hashing;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests;

/// <summary>A real server for the tests of a class, each with a separate model, published by the trainer's publisher.</summary>
public sealed class ServingFixture : IAsyncLifetime
{
    public static readonly int[] Widths = [4, 8, 16];

    private int _models;
    private LocalRedisServer _server = null!;
    private ConnectionMultiplexer _connection = null!;

    public IDatabase Database => _connection.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        _server = await LocalRedisServer.StartAsync();
        _connection = await RedisConnection.OpenAsync(new RedisOptions { Configuration = _server.Configuration });
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            RedisConnection.Close(_connection);
        }

        await _server.DisposeAsync();
    }

    public RedisOptions Options() =>
        new()
        {
            Configuration = _server.Configuration,
            Model = $"model{Interlocked.Increment(ref _models)}",
            Element = EmbeddingElement.Float32,
            Partitions = 8,
        };

    public static ServingOptions Serving(RedisOptions options) =>
        new()
        {
            Model = options.Model,
            Partitions = options.Partitions,
            KeyPerWidth = options.Layout == EmbeddingKeyLayout.PerWidth,
            PointerLifetime = TimeSpan.Zero,
        };

    public EmbeddingIndex Index(RedisOptions options, bool cosine = true) =>
        new(Database, Serving(options), new IndexOptions { Widths = Widths, Cosine = cosine }, TimeProvider.System);

    public async Task<EmbeddingPublisher> OpenAsync(RedisOptions options, uint generation = 1, IReadOnlyList<int>? widths = null)
    {
        EmbeddingPublisher publisher = new(Database, options, widths ?? Widths, TimeProvider.System);
        await publisher.OpenAsync(generation, 1);
        return publisher;
    }

    /// <summary>Publishes the first items of an engine's table as item0, item1, …, and its towers. With attributes, an item has a
    /// category of seven, its number as price, and an event unless its number is even.</summary>
    public async Task PublishModelAsync(
        RedisOptions options,
        CpuEngine engine,
        int count,
        uint generation = 1,
        IReadOnlyDictionary<int, RelatedItems>? lists = null,
        bool withAttributes = false
    )
    {
        int dimension = engine.Model.Dimension;
        float[] vectors = new float[count * dimension];
        for (int row = 0; row < count; row++)
        {
            engine.InitializeRow(row, RedisKeys.Hash($"item{row}"));
        }

        engine.EncodeItems([.. Enumerable.Range(0, count)], vectors);
        EmbeddingPublisher publisher = new(Database, options, engine.Model.Widths, TimeProvider.System) { PublishesFacts = withAttributes };
        await publisher.OpenAsync(generation, 1);
        await publisher.PublishAsync(
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(row =>
                        Item(row, 1, vectors[(row * dimension)..((row + 1) * dimension)]) with
                        {
                            Related = lists?[row],
                            Facts = new($$"""{"category":"c{{row % 7}}","price":{{row}}}""", row % 2, 1),
                        }
                    ),
            ],
            []
        );
        using TensorSource parameters = engine.CopyParameters();
        await new GenerationPublisher(Database, options, TimeProvider.System).PublishAsync(
            new GenerationRecord
            {
                Generation = generation,
                Token = 1,
                Step = 1,
                Widths = engine.Model.Widths,
                Attributes = withAttributes ? ["category", "price:number"] : [],
            },
            engine.Model.Widths.Select(width => KeyValuePair.Create(width, Tower(parameters, engine.Model, width, generation)))
        );
    }

    public static Refresh Item(int i, long step, float[]? vector) =>
        new(XxHash64.Hash(Encoding.UTF8.GetBytes($"item{i}")), $"item{i}", vector, step, 0, 0);

    public static float[] Vector(Random random) => [.. Enumerable.Range(0, 16).Select(_ => (random.NextSingle() * 2) - 1)];

    private static byte[] Tower(TensorSource parameters, ModelOptions model, int width, uint generation)
    {
        using MemoryStream file = new();
        SlicedModel.Write(parameters, model, width, new ModelVersion(generation, 1, 1), projection: false, file);
        return file.ToArray();
    }
}
