using Streaming.Core.Refreshes;
using Xunit;

namespace Streaming.Core.Tests.Refreshes;

public class RefreshOutboxTests
{
    private static Refresh Of(ulong key, long step, long produced = 0) => new(key, $"item{key}", [step], step, step, produced);

    [Fact]
    public async Task Post_SameItemTwice_KeepsNewestVectorAndEarliestProducedTime()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([Of(1, step: 1, produced: 100), Of(2, step: 1), Of(1, step: 2, produced: 200)]);

        var taken = new List<Refresh>();
        Assert.True(await outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken));

        Assert.Equal([1UL, 2UL], taken.Select(refresh => refresh.ItemKey));
        Assert.Equal(2, taken[0].Step);
        Assert.Equal(100, taken[0].ProducedTime);
        Assert.Equal(0, outbox.Count);
    }

    [Fact]
    public async Task PutBack_SomethingNewerWaits_NewerStays()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([Of(1, step: 1, produced: 100)]);
        var taken = new List<Refresh>();
        await outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken);

        outbox.Post([Of(1, step: 5, produced: 300)]);
        outbox.PutBack([.. taken]);
        taken.Clear();
        await outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken);

        Refresh only = Assert.Single(taken);
        Assert.Equal(5, only.Step);
        Assert.Equal(100, only.ProducedTime);
    }

    [Fact]
    public async Task TakeAsync_MoreThanMax_LeavesTheRestInOrder()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([.. Enumerable.Range(0, 5).Select(i => Of((ulong)i, step: 1))]);
        var taken = new List<Refresh>();
        await outbox.TakeAsync(taken, 2, TestContext.Current.CancellationToken);
        Assert.Equal([0UL, 1UL], taken.Select(refresh => refresh.ItemKey));
        taken.Clear();
        await outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken);
        Assert.Equal([2UL, 3UL, 4UL], taken.Select(refresh => refresh.ItemKey));
    }

    [Fact]
    public async Task TakeAsync_CompletedAndEmpty_ReturnsFalse()
    {
        using var outbox = new RefreshOutbox();
        var taken = new List<Refresh>();
        ValueTask<bool> waiting = outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        outbox.Complete();
        Assert.False(await waiting);
    }
}
