using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

/// <summary>Outages of a private server while a publisher runs.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    private readonly IncidentLog _incidents = new();
    private readonly RefreshOutbox _outbox = new();
    private RedisOptions _options = null!;
    private LocalRedisServer _server = null!;
    private ConnectionMultiplexer _connection = null!;
    private EmbeddingPublisher _publisher = null!;
    private Task _running = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await LocalRedisServer.StartAsync();
        _options = new RedisOptions
        {
            Configuration = _server.Configuration + ",allowAdmin=true",
            Partitions = 8,
            CommandTimeout = TimeSpan.FromSeconds(1),
            RetryAttempts = 1,
            RetryDelay = TimeSpan.FromMilliseconds(10),
        };
        _connection = await RedisConnection.OpenAsync(_options);
        _publisher = new EmbeddingPublisher(_connection.GetDatabase(), _options, Make.Widths, TimeProvider.System, _incidents.Add);
        Assert.Equal(StoreState.Empty, await _publisher.OpenAsync(1, 1));
        _running = _publisher.RunAsync(_outbox, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        RedisConnection.Close(_connection);
        _outbox.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task ServerKilledAndRestartedEmpty_WhatWaitedIsWrittenAndTheLossReported()
    {
        _outbox.Post([.. Make.Items(50, step: 1)]);
        await UntilWrittenAsync(50);
        await _server.KillAsync();
        _outbox.Post([.. Make.Items(100, step: 2)]);
        PublishIncident failed = await _incidents.WaitForAsync(PublishIncidentKind.Failed, Stop);
        Assert.True(_publisher.Metrics.Degraded);
        Assert.NotNull(failed.Error);
        _outbox.Post([.. Make.Items(100, step: 3)]);

        await _server.RestartAsync(Stop);
        await _incidents.WaitForAsync(PublishIncidentKind.StoreEmpty, Stop);
        await _incidents.WaitForAsync(PublishIncidentKind.Recovered, Stop);
        _outbox.Complete();
        await _running;

        Assert.False(_publisher.Metrics.Degraded);
        await AssertStoredAsync(100, step: 3);
        Assert.Equal("1", await _connection.GetDatabase().StringGetAsync(new RedisKeys("items").Active));
    }

    [Fact]
    public async Task ServerOutOfMemory_ItemsWaitUntilThereIsRoom()
    {
        await ConfigureAsync("maxmemory", "1");
        _outbox.Post([.. Make.Items(100, step: 1)]);
        PublishIncident incident = await _incidents.WaitForAsync(PublishIncidentKind.OutOfMemory, Stop);
        Assert.Equal(100, incident.Items);
        Assert.Equal(0, _publisher.Metrics.Written);

        await ConfigureAsync("maxmemory", "0");
        await _incidents.WaitForAsync(PublishIncidentKind.Recovered, Stop);
        _outbox.Complete();
        await _running;

        await AssertStoredAsync(100, step: 1);
    }

    [Fact]
    public async Task ServerSlow_WaitIsBoundedAndEverythingIsWrittenInTheEnd()
    {
        await _connection.GetDatabase().ExecuteAsync("CLIENT", "PAUSE", "3000", "ALL");
        _outbox.Post([.. Make.Items(100, step: 1)]);
        PublishIncident incident = await _incidents.WaitForAsync(PublishIncidentKind.Failed, Stop);
        Assert.Equal(100, incident.Items);
        _outbox.Post([.. Make.Items(100, step: 2)]);
        await _incidents.WaitForAsync(PublishIncidentKind.Recovered, Stop);
        _outbox.Complete();
        await _running;

        await AssertStoredAsync(100, step: 2);
    }

    private async Task ConfigureAsync(string name, string value) =>
        await _connection.GetDatabase().ExecuteAsync("CONFIG", "SET", name, value);

    private async Task UntilWrittenAsync(long count)
    {
        while (_publisher.Metrics.Written < count)
        {
            await Task.Delay(5, Stop);
        }
    }

    private async Task AssertStoredAsync(int count, long step)
    {
        ItemKeySpace space = new RedisKeys(_options.Model, _options.Partitions).Items(1);
        for (int i = 0; i < count; i++)
        {
            byte[]? value = await _connection.GetDatabase().StringGetAsync(space.Key($"item{i}"));
            Assert.Equal(step, EmbeddingValue.Read(value).Stamp.Step);
        }
    }
}
