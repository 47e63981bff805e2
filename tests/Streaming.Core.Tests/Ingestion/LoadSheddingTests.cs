using System.Text;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Tests.Batches;
using Xunit;

namespace Streaming.Core.Tests.Ingestion;

public class LoadSheddingTests
{
    private const long Now = 1_700_000_000_000;
    private readonly FixedTime _time = new(Now);

    [Fact]
    public void Observe_LagLastsAndIsHalfCaughtUp_BeginsAndEnds()
    {
        LoadShedding shedding = new(lag: 1000, TimeSpan.FromSeconds(30), 0.5, _time);
        Assert.False(After(shedding, 0, 1001));
        Assert.False(After(shedding, 29, 5000));
        Assert.False(After(shedding, 0.5, 1000)); // caught up for a moment: the delay restarts
        Assert.False(After(shedding, 1, 1001));
        Assert.True(After(shedding, 30, 1001));
        Assert.True(After(shedding, 1, 600));
        Assert.False(After(shedding, 1, 500));
        Assert.False(After(shedding, 100, 1000));
    }

    [Fact]
    public void Seal_Overloaded_CountsAddUpAndHistoriesAreWhole()
    {
        EventFeed feed = new(20_000, seed: 5);
        (EventCounts plain, IngestState all) = Run(feed, null);
        (EventCounts shed, IngestState some) = Run(feed, Active(0.3));

        Assert.Equal(
            plain with
            {
                Trained = plain.Trained - shed.Shed,
                HistoryOnly = plain.HistoryOnly + shed.Shed,
                Shed = shed.Shed,
            },
            shed
        );
        Assert.InRange(shed.Shed / (double)plain.Trained, 0.27, 0.33);
        ulong[] one = new ulong[6],
            other = new ulong[6];
        for (int user = 0; user < 60; user++)
        {
            ulong key = XxHash64.Hash(Encoding.UTF8.GetBytes($"user-{user}"));
            Assert.Equal(all.Histories.Get(key, one), some.Histories.Get(key, other));
            Assert.Equal(one, other);
        }
    }

    [Fact]
    public void LeavesOut_SameEvents_LeavesOutTheSameOnesAndOfEveryUserItsShare()
    {
        LoadShedding first = Active(0.5),
            second = Active(0.5),
            more = Active(0.7);
        int[] left = new int[8];
        for (int i = 0; i < 8000; i++)
        {
            byte[] id = i % 2 == 0 ? Encoding.UTF8.GetBytes($"event-{i}") : [];
            InteractionEvent candidate = new() { EventId = id, EventTime = Now + i };
            ulong user = (ulong)(i % 8),
                item = (ulong)(i % 11);
            bool isLeft = first.LeavesOut(candidate, user, item);
            Assert.Equal(isLeft, second.LeavesOut(candidate, user, item));
            Assert.True(!isLeft || more.LeavesOut(candidate, user, item));
            left[user] += isLeft ? 1 : 0;
        }

        Assert.All(left, count => Assert.InRange(count, 430, 570));
    }

    [Theory]
    [InlineData(1.0, 100)]
    [InlineData(0.0, 0)]
    public void LeavesOut_ShareZeroOrOne_LeavesOutNoneOrAll(double share, int expected)
    {
        LoadShedding shedding = Active(share);
        Assert.Equal(expected, Enumerable.Range(0, 100).Count(i => shedding.LeavesOut(new InteractionEvent { EventTime = i }, 1, 2)));
    }

    [Fact]
    public void Constructor_ShareThatIsNone_SaysWhatIsAllowed() =>
        Assert.Contains(
            "Allowed: 0 to 1",
            Assert.Throws<ArgumentOutOfRangeException>(() => new LoadShedding(1, TimeSpan.Zero, double.NaN, _time)).Message,
            StringComparison.Ordinal
        );

    private static (EventCounts Counts, IngestState State) Run(EventFeed feed, LoadShedding? shedding)
    {
        IngestState state = new(new HistoryOptions { Length = 6, MaxUsers = 100 }, EventFeed.Dedup());
        Batcher batcher = EventFeed.NewBatcher(state, [], shedding: shedding);
        foreach (Batch batch in feed.Run(batcher))
        {
            Assert.Equal(batch.Counts.Trained, batch.Count);
        }

        EventCounts counts = batcher.Totals;
        Assert.Equal(counts.Read, counts.Trained + counts.HistoryOnly + counts.DeadLettered + counts.Duplicates);
        return (counts, state);
    }

    private bool After(LoadShedding shedding, double seconds, long lag)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        shedding.Observe(lag);
        return shedding.IsActive;
    }

    private LoadShedding Active(double share)
    {
        LoadShedding shedding = new(lag: 10, TimeSpan.Zero, share, _time);
        shedding.Observe(11);
        Assert.True(shedding.IsActive);
        return shedding;
    }
}
