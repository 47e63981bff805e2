using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Tests.Batches;
using Xunit;

namespace Streaming.Core.Tests.Histories;

public class HistoryFeedTests
{
    private const long Now = 1_700_000_000_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly FixedTime _time = new(Now);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stream_TakenAtAnyTimes_EndsWithTheHistoriesOfTheStore()
    {
        IngestState state = new(new HistoryOptions { Length = 6, MaxUsers = 100 }, EventFeed.Dedup());
        HistoryFeed feed = new(state.Histories, itemsPerUser: 4, mostUsers: 100, Interval, _time);
        Random random = new(3);
        Dictionary<ulong, ulong[]> published = [];
        Dictionary<ulong, HistoryAge> ages = [];
        Task<UserHistoryBatch?> taking = feed.TakeAsync(Stop).AsTask();
        foreach (Batch _ in new EventFeed(4000, seed: 3).Run(EventFeed.NewBatcher(state, [], time: _time, feed: feed)))
        {
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(800)));
            if (random.Next(3) == 0 && taking.IsCompleted)
            {
                Publish(feed, (await taking)!, published, ages);
                taking = feed.TakeAsync(Stop).AsTask();
            }
        }

        feed.Complete();
        while (await taking is { } rest)
        {
            Publish(feed, rest, published, ages);
            taking = feed.TakeAsync(Stop).AsTask();
        }

        Assert.Equal(0, feed.Waiting);
        Assert.Equal(state.Histories.UserCount, published.Count);
        ulong[] items = new ulong[4];
        foreach ((ulong user, ulong[] history) in published)
        {
            int count = state.Histories.GetNewest(user, items, out HistoryAge age);
            Assert.Equal(items.Take(count), history);
            Assert.Equal(age, ages[user]);
        }
    }

    [Fact]
    public async Task Offer_WithinTheInterval_GathersEachUserOnce()
    {
        HistoryFeed feed = Feed(out HistoryStore store);
        for (int i = 0; i < 10; i++)
        {
            Append(store, feed, user: (ulong)(i % 3), item: (ulong)i, Now + i);
            feed.Offer();
        }

        Assert.Equal(3, feed.Waiting);
        Task<UserHistoryBatch?> waiting = feed.TakeAsync(Stop).AsTask();
        Assert.False(waiting.IsCompleted);
        _time.Advance(Interval);
        feed.Offer();
        UserHistoryBatch batch = (await waiting)!;
        Assert.Equal([0UL, 1UL, 2UL], batch.Users[..batch.Count]);
        Assert.Equal([0UL, 3UL, 6UL, 9UL], batch.ItemsOf(0).ToArray());
        Assert.Equal(new HistoryAge(Now + 9, (4 * Now) + 18), batch.Ages[0]);
        Assert.Equal([Now, Now + 1, Now + 2], batch.ProducedTimes[..3]);
        Assert.Equal(3, feed.Waiting);
        feed.Return(batch);
        Assert.Equal(0, feed.Waiting);
    }

    [Fact]
    public async Task TakeAsync_PublisherBusy_TheNextBatchHasWhatCameMeanwhile()
    {
        HistoryFeed feed = Feed(out HistoryStore store);
        Append(store, feed, 1, 10, Now);
        _time.Advance(Interval);
        feed.Offer();
        UserHistoryBatch first = (await feed.TakeAsync(Stop))!;
        Append(store, feed, 1, 11, Now + 1);
        _time.Advance(Interval);
        feed.Offer(); // there is no batch to fill
        Assert.Equal(10UL, first.Items[0]);
        feed.Return(first);
        feed.Offer();
        UserHistoryBatch second = (await feed.TakeAsync(Stop))!;
        Assert.Equal([10UL, 11UL], second.Items[..2]);
    }

    [Fact]
    public async Task Touch_MoreThanMayWait_LeavesOutWhoWaitedLongest()
    {
        HistoryFeed feed = Feed(out HistoryStore store, mostUsers: 5);
        for (ulong user = 0; user < 8; user++)
        {
            Append(store, feed, user, 1, Now);
        }

        Assert.Equal(5, feed.Waiting);
        feed.Complete();
        UserHistoryBatch batch = (await feed.TakeAsync(Stop))!;
        Assert.Equal([3UL, 4UL, 5UL, 6UL, 7UL], batch.Users[..batch.Count]);
    }

    [Fact]
    public async Task TouchAll_MoreUsersThanABatch_GivesEachInOneRound()
    {
        HistoryFeed feed = Feed(out HistoryStore store, mostUsers: 5000);
        for (ulong user = 0; user < 3000; user++)
        {
            store.Append(user, user, Now, 0, new ulong[4]);
        }

        feed.TouchAll();
        _time.Advance(Interval);
        HashSet<ulong> users = [];
        for (int i = 0; i < 3; i++)
        {
            feed.Offer();
            UserHistoryBatch batch = (await feed.TakeAsync(Stop))!;
            users.UnionWith(batch.Users[..batch.Count]);
            feed.Return(batch);
        }

        Assert.Equal(3000, users.Count);
        feed.Complete();
        Assert.Null(await feed.TakeAsync(Stop));
    }

    [Fact]
    public void Touch_OnceWarm_AllocatesNothing()
    {
        HistoryFeed feed = Feed(out HistoryStore store, mostUsers: 1000);
        ulong[] before = new ulong[4];
        Run();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 6 * 128); // a task per batch, none per event

        void Run()
        {
            for (int i = 0; i < 3000; i++)
            {
                store.Append((ulong)(i % 700), (ulong)i, Now + i, 0, before);
                feed.Touch((ulong)(i % 700), Now);
                if (i % 500 == 499)
                {
                    _time.Advance(Interval);
                    feed.Offer();
                    feed.Return(feed.TakeAsync(CancellationToken.None).AsTask().Result!);
                }
            }
        }
    }

    private HistoryFeed Feed(out HistoryStore store, int mostUsers = 100)
    {
        store = new HistoryStore(new HistoryOptions { Length = 4, MaxUsers = 5000 });
        return new HistoryFeed(store, itemsPerUser: 50, mostUsers, Interval, _time, usersPerBatch: 1024);
    }

    private static void Append(HistoryStore store, HistoryFeed feed, ulong user, ulong item, long time)
    {
        store.Append(user, item, time, 0, new ulong[4]);
        feed.Touch(user, time);
    }

    /// <summary>A store in which no history moves backwards.</summary>
    private static void Publish(
        HistoryFeed feed,
        UserHistoryBatch batch,
        Dictionary<ulong, ulong[]> published,
        Dictionary<ulong, HistoryAge> ages
    )
    {
        for (int user = 0; user < batch.Count; user++)
        {
            ulong key = batch.Users[user];
            Assert.True(
                !ages.TryGetValue(key, out HistoryAge before)
                    || before.NewestTime < batch.Ages[user].NewestTime
                    || (before.NewestTime == batch.Ages[user].NewestTime && before.TimeSum <= batch.Ages[user].TimeSum)
            );
            published[key] = batch.ItemsOf(user).ToArray();
            ages[key] = batch.Ages[user];
        }

        feed.Return(batch);
    }
}
