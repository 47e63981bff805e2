using Streaming.Core.Embeddings;
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

    [Fact]
    public async Task TakeAsync_ChangesAndUpkeep_TakesChangesFirst()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([Upkeep(1, step: 1), Upkeep(2, step: 1), Of(3, step: 1), Upkeep(4, step: 1), Of(5, step: 1)]);
        Assert.Equal((5, 3), (outbox.Count, outbox.Upkeep));
        Assert.Equal([3UL, 5, 1], await Take(outbox, 3));

        // A part of it at a time: a change that comes meanwhile has to wait for what was taken.
        Assert.Equal(2UL, Assert.Single(await Take(outbox, 7)));
        Assert.Equal(4UL, Assert.Single(await Take(outbox, 7)));
    }

    [Fact]
    public async Task TakeAsync_UpkeepIsHeld_TakesChangesAloneUntilItIsNot()
    {
        using var outbox = new RefreshOutbox();
        var from = new TaskCompletionSource();
        outbox.Post([Upkeep(1, step: 1)]);
        var taken = new List<Refresh>();
        Task<bool> waiting = outbox.TakeAsync(taken, 10, from.Task, TestContext.Current.CancellationToken).AsTask();
        Assert.False(waiting.IsCompleted);
        outbox.Post([Of(2, step: 1)]);
        Assert.True(await waiting);
        Assert.Equal([2UL], taken.Select(refresh => refresh.ItemKey));

        taken.Clear();
        waiting = outbox.TakeAsync(taken, 10, from.Task, TestContext.Current.CancellationToken).AsTask();
        from.SetResult();
        Assert.True(await waiting);
        Assert.Equal([1UL], taken.Select(refresh => refresh.ItemKey));

        // The wait that the task has ended must not have taken the signal of what comes next.
        taken.Clear();
        waiting = outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken).AsTask();
        outbox.Post([Of(3, step: 1)]);
        Assert.True(await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task TakeAsync_CompletedWhileUpkeepIsHeld_TakesItAll()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([Upkeep(1, step: 1), Of(2, step: 1)]);
        outbox.Complete();
        var taken = new List<Refresh>();
        Task never = new TaskCompletionSource().Task;
        Assert.True(await outbox.TakeAsync(taken, 10, never, TestContext.Current.CancellationToken));
        Assert.Equal([2UL, 1], taken.Select(refresh => refresh.ItemKey));
        Assert.False(await outbox.TakeAsync(taken = [], 10, never, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Post_ChangeOfAnItemThatWaitsForUpkeep_MovesItAhead()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([Upkeep(1, step: 1), Upkeep(2, step: 1), Of(2, step: 2, produced: 7)]);
        Assert.Equal([2UL, 1], await Take(outbox, 10));
    }

    [Fact]
    public async Task Post_UpkeepOfAnItemWhoseChangeWaits_BringsTheNewerVectorAndKeepsPlaceTimeAndLists()
    {
        using var outbox = new RefreshOutbox();
        var lists = new RelatedItems(10, [], []);
        outbox.Post([
            Of(1, step: 1, produced: 7) with
            {
                Related = lists,
            },
            Upkeep(1, step: 2) with
            {
                KeepsRelated = true,
            },
            Of(2, step: 1),
        ]);
        var taken = new List<Refresh>();
        await outbox.TakeAsync(taken, 1, TestContext.Current.CancellationToken);
        Refresh only = Assert.Single(taken);
        Assert.Equal((1UL, 2L, 7L, false, false), (only.ItemKey, only.Step, only.ProducedTime, only.IsUpkeep, only.KeepsRelated));
        Assert.Same(lists, only.Related);
    }

    /// <summary>Upkeep is computed aside, so it may come with an older vector than the one that waits, or after a removal.</summary>
    [Fact]
    public async Task Post_UpkeepOfAnEarlierStep_ChangesNothing()
    {
        using var outbox = new RefreshOutbox();
        outbox.Post([new Refresh(1, "item1", null, 5, 0, 0), Upkeep(1, step: 4)]);
        var taken = new List<Refresh>();
        await outbox.TakeAsync(taken, 10, TestContext.Current.CancellationToken);
        Assert.Null(Assert.Single(taken).Vector);
    }

    /// <summary>Items that become changes again and again leave their old places behind; these must not pile up.</summary>
    [Fact]
    public async Task Post_UpkeepThatIsNeverTaken_KeepsEachItemOnce()
    {
        using var outbox = new RefreshOutbox();
        Task never = new TaskCompletionSource().Task;
        for (int round = 0; round < 5_000; round++)
        {
            outbox.Post([Upkeep(1, step: round), Upkeep(2, step: round), Of(1, step: round)]);
            await outbox.TakeAsync([], 10, never, TestContext.Current.CancellationToken);
        }

        outbox.Post([Upkeep(1, step: 9_999)]);
        Assert.Equal([2UL, 1], (await Take(outbox, 10)).Order().Reverse());
        Assert.Equal(0, outbox.Count);
    }

    private static Refresh Upkeep(ulong key, long step) => Of(key, step) with { IsUpkeep = true };

    private static async Task<ulong[]> Take(RefreshOutbox outbox, int max)
    {
        var taken = new List<Refresh>();
        await outbox.TakeAsync(taken, max, TestContext.Current.CancellationToken);
        return [.. taken.Select(refresh => refresh.ItemKey)];
    }
}
