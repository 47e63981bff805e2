using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Hashing;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
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

    public async Task<EmbeddingPublisher> OpenAsync(RedisOptions options, uint generation = 1)
    {
        EmbeddingPublisher publisher = new(Database, options, Widths, TimeProvider.System);
        await publisher.OpenAsync(generation, 1);
        return publisher;
    }

    public static Refresh Item(int i, long step, float[]? vector) =>
        new(XxHash64.Hash(Encoding.UTF8.GetBytes($"item{i}")), $"item{i}", vector, step, 0, 0);

    public static float[] Vector(Random random) => [.. Enumerable.Range(0, 16).Select(_ => (random.NextSingle() * 2) - 1)];
}
