using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Hashing;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Serving.Lookups;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Lookups;

public sealed class EmbeddingReaderTests : IAsyncLifetime
{
    private LocalRedisServer _server = null!;
    private ConnectionMultiplexer _connection = null!;
    private EmbeddingPublisher _publisher = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await LocalRedisServer.StartAsync();
        RedisOptions options = new() { Configuration = _server.Configuration, Element = EmbeddingElement.Float32 };
        _connection = await RedisConnection.OpenAsync(options);
        _publisher = new EmbeddingPublisher(_connection.GetDatabase(), options, [4, 8, 16], TimeProvider.System);
        await _publisher.OpenAsync(1, 1);
    }

    public async ValueTask DisposeAsync()
    {
        RedisConnection.Close(_connection);
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(5)]
    public async Task ReadAsync_ManyItems_FoundMissingAndRefusedAreToldApart(int width)
    {
        await PublishAsync(1000);
        await _connection.GetDatabase().StringSetAsync(new RedisKeys("items").Items(1).Key("item3"), "junk");
        string[] ids = [.. Enumerable.Range(0, 1200).Select(i => $"item{i}")];
        float[] vectors = new float[ids.Length * width];
        Array.Fill(vectors, float.NaN);
        var items = new ItemRead[ids.Length];

        ReadCounts counts = await Reader().ReadAsync(ids, width, vectors, items, Stop);

        Assert.Equal(new ReadCounts(Found: 999, Missing: 200, Refused: 1), counts);
        Assert.Equal(new ItemRead(ItemStatus.Refused, EmbeddingFault.Foreign, default), items[3]);
        for (int i = 0; i < ids.Length; i++)
        {
            float[] expected = items[i].Status == ItemStatus.Found ? [.. Vector(i).Take(width)] : new float[width];
            Assert.Equal(expected, vectors.AsSpan(i * width, width));
        }
    }

    [Fact]
    public async Task ReadAsync_WiderThanStored_IsRefused()
    {
        await PublishAsync(1);
        ItemRead item = await Reader().ReadAsync("item0", new float[17], Stop);

        Assert.Equal((ItemStatus.Refused, EmbeddingFault.TooNarrow), (item.Status, item.Fault));
    }

    [Fact]
    public async Task ReadAsync_NothingPublished_IsMissing()
    {
        ItemRead item = await Reader(new ServingOptions { Model = "other" }).ReadAsync("item0", new float[4], Stop);
        Assert.Equal(ItemStatus.Missing, item.Status);
    }

    [Fact]
    public async Task ReadAsync_PointerFlipped_ReadsTheOtherGeneration()
    {
        await PublishAsync(1);
        EmbeddingReader reader = Reader(new ServingOptions { PointerLifetime = TimeSpan.Zero });
        Assert.Equal(1u, (await reader.ReadAsync("item0", new float[4], Stop)).Stamp.Generation);

        await _publisher.OpenAsync(2, 1, Stop);
        await PublishAsync(1);
        await _connection.GetDatabase().StringSetAsync(new RedisKeys("items").Active, "2");

        Assert.Equal(2u, (await reader.ReadAsync("item0", new float[4], Stop)).Stamp.Generation);
    }

    [Fact]
    public async Task ReadAsync_BufferTooShort_Throws() =>
        await Assert.ThrowsAsync<ArgumentException>(() => Reader().ReadAsync(["a", "b"], 4, new float[7], new ItemRead[2], Stop));

    private static float[] Vector(int i) => [.. Enumerable.Range(0, 16).Select(j => (i * 100f) + j)];

    private EmbeddingReader Reader(ServingOptions? options = null) =>
        new(_connection.GetDatabase(), options ?? new ServingOptions(), TimeProvider.System);

    private async Task PublishAsync(int count)
    {
        List<Refresh> items =
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new Refresh(XxHash64.Hash(Encoding.UTF8.GetBytes($"item{i}")), $"item{i}", Vector(i), 1, 1, 0)),
        ];
        List<Refresh> failed = [];
        PublishCounts counts = await _publisher.PublishAsync(items, failed, Stop);
        Assert.Equal(count, counts.Written);
    }
}
