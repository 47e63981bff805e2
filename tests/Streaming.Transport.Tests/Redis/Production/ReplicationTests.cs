using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>A primary with a replica, promoted by hand or by sentinels.</summary>
public sealed class ReplicationTests
{
    private readonly IncidentLog _incidents = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_ReplicaPromotedAndBack_WhatWaitedIsWritten()
    {
        await using RedisReplication set = await RedisReplication.StartAsync();
        RedisOptions options = Options(set.Configuration);
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        EmbeddingPublisher publisher = await OpenAsync(connection, options);
        long step = 0;
        foreach (RedisNode next in new[] { set.Nodes[1], set.Nodes[0] })
        {
            await PublishAsync(publisher, ++step);
            await set.WaitUntilInStepAsync();
            await set.PromoteAsync(next);
            await PublishAsync(publisher, ++step);
            Assert.Equal("master", await next.InfoAsync("replication", "role"));
            Assert.Equal(step, await StepAsync(next, options));
            await set.WaitUntilInStepAsync();
        }

        RedisConnection.Close(connection);
    }

    [Fact]
    public async Task Publish_SentinelsPromoteAReplica_TheNewPrimaryIsFound()
    {
        await using RedisReplication set = await RedisReplication.StartAsync(sentinels: 3);
        RedisOptions options = Options(set.SentinelConfiguration);
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        EmbeddingPublisher publisher = await OpenAsync(connection, options);
        await PublishAsync(publisher, 1);
        await set.Nodes[0].KillAsync();
        await PublishAsync(publisher, 2);

        RedisNode primary = await set.WaitForFailOverAsync(set.Nodes[0]);
        Assert.Equal(2, await StepAsync(primary, options));
        Assert.Equal("1", await primary.SendAsync("GET", new RedisKeys(options.Model, options.Partitions).Active));
        RedisConnection.Close(connection);
    }

    [Fact]
    public async Task Open_ReplicaDoesNotAnswer_SaysThatTheFencesAreNotConfirmedAndContinues()
    {
        await using RedisReplication set = await RedisReplication.StartAsync();
        RedisOptions options = Options(set.Configuration);
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        set.Nodes[1].Freeze();
        EmbeddingPublisher publisher = await OpenAsync(connection, options);
        PublishIncident incident = await _incidents.WaitForAsync(PublishIncidentKind.Unconfirmed, Stop);

        Assert.Contains($":{set.Nodes[0].Port}", incident.Message, StringComparison.Ordinal);
        Assert.Equal(10, (await publisher.PublishAsync(Make.Items(10), [], Stop)).Written);
        set.Nodes[1].Thaw();
        RedisConnection.Close(connection);
    }

    private static RedisOptions Options(string configuration) =>
        new()
        {
            Configuration = configuration,
            Partitions = 8,
            CommandTimeout = TimeSpan.FromSeconds(2),
            RetryAttempts = 1,
            RetryDelay = TimeSpan.FromMilliseconds(20),
        };

    private static async Task PublishAsync(EmbeddingPublisher publisher, long step)
    {
        List<Refresh> left = Make.Items(50, step);
        while (left.Count > 0)
        {
            List<Refresh> failed = [];
            await publisher.PublishAsync(left, failed, Stop);
            left = failed;
            await Task.Delay(left.Count == 0 ? 0 : 100, Stop);
        }
    }

    private static async Task<long> StepAsync(RedisNode node, RedisOptions options)
    {
        string key = System.Text.Encoding.Latin1.GetString(new RedisKeys(options.Model, options.Partitions).Items(1).Key("item7"));
        return EmbeddingValue.Read(System.Text.Encoding.Latin1.GetBytes((string)(await node.SendAsync("GET", key))!)).Stamp.Step;
    }

    private async Task<EmbeddingPublisher> OpenAsync(ConnectionMultiplexer connection, RedisOptions options)
    {
        EmbeddingPublisher publisher = new(connection.GetDatabase(), options, Make.Widths, TimeProvider.System, _incidents.Add);
        await publisher.OpenAsync(1, 1, Stop);
        return publisher;
    }
}
