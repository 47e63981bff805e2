using Streaming.Core.Embeddings;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public sealed class TrainerLeaseTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly RedisOptions _options = redis.Options() with { LeaseDuration = TimeSpan.FromSeconds(2) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private RedisKeys Keys => new(_options.Model, _options.Partitions);

    [Fact]
    public async Task TryAcquireAsync_Held_SaysByWhomAndHowLong()
    {
        using TrainerLease a = Lease("a");
        using TrainerLease b = Lease("b");
        Assert.True((await a.TryAcquireAsync(0, Stop)).Acquired);
        LeaseAttempt attempt = await b.TryAcquireAsync(0, Stop);

        Assert.False(attempt.Acquired);
        Assert.Equal("a", attempt.Holder);
        Assert.InRange(attempt.Remaining, TimeSpan.Zero, _options.LeaseDuration);
        Assert.Equal(0u, b.Token);
    }

    [Fact]
    public async Task AcquireAsync_HolderNeverRenews_StandbyTakesOverWithAGreaterToken()
    {
        using TrainerLease frozen = Lease("a");
        using TrainerLease standby = Lease("b");
        await frozen.AcquireAsync(0, Stop);
        await standby.AcquireAsync(0, Stop);

        Assert.True(standby.Token > frozen.Token);
        Assert.True(standby.Certain);
        Assert.False(frozen.Certain);
        Assert.False(await frozen.RenewAsync(Stop));
        Assert.False(await frozen.ReleaseAsync(Stop));
        Assert.True(await standby.RenewAsync(Stop));
    }

    [Fact]
    public async Task AcquireAsync_HolderFrozenWhilePublishing_WhatItPublishesOnReturnIsRefused()
    {
        using TrainerLease frozen = Lease("a");
        using TrainerLease standby = Lease("b");
        await frozen.AcquireAsync(0, Stop);
        EmbeddingPublisher old = await OpenAsync(frozen.Token);
        await old.PublishAsync([Make.Item("x", step: 10)], [], Stop);
        await standby.AcquireAsync(0, Stop);
        EmbeddingPublisher next = await OpenAsync(standby.Token);
        await next.PublishAsync([Make.Item("x", step: 5)], [], Stop);

        await Assert.ThrowsAsync<FencedException>(() => old.PublishAsync([Make.Item("x", step: 11)], [], Stop));
        byte[]? value = await redis.Database.StringGetAsync(Keys.Items(1).Key("x"));
        Assert.Equal(standby.Token, EmbeddingValue.Read(value).Stamp.Token);
    }

    [Fact]
    public async Task KeepAsync_WhileHeld_StandbyDoesNotGetIt()
    {
        using TrainerLease holder = Lease("a");
        using TrainerLease standby = Lease("b");
        await holder.AcquireAsync(0, Stop);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task keeping = holder.KeepAsync(end.Token);
        Task waiting = standby.AcquireAsync(0, Stop);
        Assert.NotSame(waiting, await Task.WhenAny(waiting, Task.Delay(_options.LeaseDuration * 2, Stop)));

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => keeping);
        Assert.True(await holder.ReleaseAsync(Stop));
        await waiting.WaitAsync(Stop);
    }

    [Fact]
    public async Task KeepAsync_LeaseTakenByAnother_ReturnsAndCancelsLost()
    {
        using TrainerLease holder = Lease("a");
        await holder.AcquireAsync(0, Stop);
        Task keeping = holder.KeepAsync(Stop);
        await redis.Database.StringSetAsync(Keys.LeaseHolder(), $"{holder.Token + 1} b");
        await redis.Database.StringSetAsync(Keys.LeaseToken(), (long)holder.Token + 1);
        await keeping;

        Assert.True(holder.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<InvalidOperationException>(() => holder.TryAcquireAsync(0, Stop));
    }

    [Fact]
    public async Task TryAcquireAsync_SameOwnerAfterACrash_NeedNotWait()
    {
        using TrainerLease before = Lease("a");
        using TrainerLease after = Lease("a");
        await before.AcquireAsync(0, Stop);

        Assert.True((await after.TryAcquireAsync(0, Stop)).Acquired);
        Assert.True(after.Token > before.Token);
        Assert.False(await before.RenewAsync(Stop));
    }

    [Fact]
    public async Task TryAcquireAsync_StoreLostTheCounter_TokenStillGrows()
    {
        using TrainerLease before = Lease("a");
        await before.AcquireAsync(floor: uint.MaxValue - 1000, Stop);
        Assert.Equal(uint.MaxValue - 999, before.Token);
        await redis.Database.KeyDeleteAsync([Keys.LeaseToken()]);
        await redis.Database.KeyDeleteAsync([Keys.LeaseHolder()]);
        using TrainerLease after = Lease("b");
        await after.AcquireAsync(floor: before.Token, Stop);

        Assert.Equal(before.Token + 1, after.Token);
    }

    [Fact]
    public async Task RenewAsync_StoreEmptiedAndNobodyElseCame_ContinuesUnderTheSameToken()
    {
        using TrainerLease holder = Lease("a");
        using TrainerLease other = Lease("b");
        await holder.AcquireAsync(0, Stop);
        await redis.Database.KeyDeleteAsync([Keys.LeaseToken()]);
        await redis.Database.KeyDeleteAsync([Keys.LeaseHolder()]);

        Assert.True(await holder.RenewAsync(Stop));
        Assert.False((await other.TryAcquireAsync(0, Stop)).Acquired);
    }

    private TrainerLease Lease(string owner) => new(redis.Database, _options, owner, TimeProvider.System);

    private async Task<EmbeddingPublisher> OpenAsync(uint token)
    {
        EmbeddingPublisher publisher = new(redis.Database, _options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, token, Stop);
        return publisher;
    }
}
