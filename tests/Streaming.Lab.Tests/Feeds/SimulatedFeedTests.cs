using Streaming.Formats.Files;
using Streaming.Lab.Feeds;
using Streaming.Lab.Simulation;
using Xunit;

namespace Streaming.Lab.Tests.Feeds;

public class SimulatedFeedTests
{
    private static readonly SimulatorOptions Options = new()
    {
        Items = 100,
        Users = 50,
        Clusters = 5,
        EventsPerNewItem = 20,
        Features = 3,
        DuplicateShare = 0.1,
        MalformedShare = 0.05,
        LateShare = 0.05,
    };

    [Fact]
    public void TryNext_Count_IsThatOfTheInteractionsTopic()
    {
        FeedRecord[] records = All(new SimulatedFeed(Options, 500, TimeProvider.System));

        Assert.Equal(500, records.Count(record => record.Kind != FeedKind.Item));
    }

    [Fact]
    public void TryNext_EveryItem_IsAnnouncedOnceAndBeforeItsFirstEvent()
    {
        HashSet<string> announced = [];
        foreach (FeedRecord record in All(new SimulatedFeed(Options, 500, TimeProvider.System)))
        {
            if (record.Kind == FeedKind.Item)
            {
                Assert.True(announced.Add(record.ItemId), $"{record.ItemId} was announced twice");
                Assert.Equal(3, record.Features["text"].Length);
            }
            else if (record.Kind == FeedKind.Interaction)
            {
                Assert.Contains(record.Event.Item, announced);
            }
        }

        Assert.True(announced.Count > 100, "no item was born on the way");
    }

    [Fact]
    public void TryNext_Faults_HaveTheirShares()
    {
        var time = new StoppedTime();
        FeedRecord[] records = [.. All(new SimulatedFeed(Options, 4000, time)).Where(record => record.Kind != FeedKind.Item)];
        EventRow[] events = [.. records.Where(record => record.Kind == FeedKind.Interaction).Select(record => record.Event)];
        EventRow[] distinct = [.. events.DistinctBy(row => row.EventId)];

        Assert.Equal(0.05, (records.Length - events.Length) / 4000.0, 0.015);
        Assert.Equal(0.1, (events.Length - distinct.Length) / 4000.0, 0.02);
        long now = time.GetUtcNow().ToUnixTimeMilliseconds(),
            late = (long)TimeSpan.FromDays(1).TotalMilliseconds;
        Assert.Equal(0.05, distinct.Count(row => row.Time == now - late) / 4000.0, 0.015);
        Assert.All(events, row => Assert.True(row.Time == now || row.Time == now - late));

        // A second delivery is the same event, to the last value.
        Assert.All(events.GroupBy(row => row.EventId), same => Assert.Single(same.Distinct()));
    }

    [Fact]
    public void TryNext_NoFaults_SendsEveryVisitOnce()
    {
        FeedRecord[] records = All(
            new SimulatedFeed(Options with { DuplicateShare = 0, MalformedShare = 0, LateShare = 0 }, 300, TimeProvider.System)
        );

        EventRow[] events = [.. records.Where(record => record.Kind == FeedKind.Interaction).Select(record => record.Event)];
        Assert.Equal(300, events.Length);
        Assert.Equal(300, events.DistinctBy(row => row.EventId).Count());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    public void TryNext_AnotherSeedOrALaterRun_HasNoEventIdOfTheFirst(ulong seed, int laterBy)
    {
        HashSet<string> first = Ids(1, 0);
        HashSet<string> second = Ids(seed, laterBy);

        Assert.Equal(first.Count, second.Count);
        Assert.Empty(first.Intersect(second));

        static HashSet<string> Ids(ulong seed, int milliseconds) =>
            [
                .. All(new SimulatedFeed(Options with { Seed = seed }, 200, new StoppedTime(milliseconds)))
                    .Where(record => record.Kind == FeedKind.Interaction)
                    .Select(record => record.Event.EventId!),
            ];
    }

    [Fact]
    public void TryNext_SameSeed_IsTheSameFeed()
    {
        var time = new StoppedTime();

        Assert.Equal(Texts(1), Texts(1));
        Assert.NotEqual(Texts(1), Texts(2));

        string[] Texts(ulong seed) =>
            [
                .. All(new SimulatedFeed(Options with { Seed = seed }, 200, time))
                    .Select(record => $"{record.Kind} {record.ItemId} {record.Event}"),
            ];
    }

    [Fact]
    public void TitleOf_AnnouncedItem_IsItsTitle()
    {
        var feed = new SimulatedFeed(Options, 10, TimeProvider.System);
        FeedRecord item = All(feed)[0];

        Assert.Equal(item.Text["title"], feed.TitleOf(item.ItemId));
        Assert.Null(feed.TitleOf("never"));
    }

    private static FeedRecord[] All(EventFeed feed)
    {
        List<FeedRecord> records = [];
        while (feed.TryNext(out FeedRecord record))
        {
            records.Add(record);
        }

        return [.. records];
    }

    private sealed class StoppedTime(int milliseconds = 0) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50).AddMilliseconds(milliseconds);
    }
}
