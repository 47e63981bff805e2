using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Options;
using Streaming.Core.Tests.Ingestion;
using Xunit;

namespace Streaming.Core.Tests.Histories;

public class HistoryStoreTests
{
    [Theory]
    [InlineData(1, 1, 5, 1)]
    [InlineData(3, 40, 30, 2)]
    [InlineData(4, 100, 150, 3)]
    [InlineData(17, 64, 90, 4)]
    [InlineData(50, 500, 400, 5)]
    public void Append_RandomEvents_AgreesWithTheReference(int length, int maxUsers, int users, int seed)
    {
        HistoryStore store = new(new HistoryOptions { Length = length, MaxUsers = maxUsers });
        ReferenceHistories reference = new(length, maxUsers);
        Random random = new(seed);
        ulong[] before = new ulong[length];
        for (int i = 0; i < 20_000; i++)
        {
            ulong user = (ulong)random.Next(users) << 40; // same low bits: the table must spread them
            ulong item = (ulong)random.Next(20);
            long time = i + random.Next(-30, 30);
            HistoryAppend append = store.Append(user, item, time, 10, before);
            (ulong[] Before, bool IsKnown, bool IsRepeat, bool IsLate) expected = reference.Append(user, item, time, 10);
            Assert.Equal(expected.Before, before[..append.Before]);
            Assert.Equal((expected.IsKnown, expected.IsRepeat, expected.IsLate), (append.IsKnownUser, append.IsRepeat, append.IsLate));
        }

        Assert.Equal(reference.Evictions, store.Evictions);
        Assert.Equal(reference.Activity.Count, store.UserCount);
        AssertSame(reference, store, users);
    }

    [Fact]
    public void Append_OlderThanAllOfAFullHistory_ChangesNothing()
    {
        HistoryStore store = new(new HistoryOptions { Length = 2, MaxUsers = 10 });
        ulong[] before = new ulong[2];
        store.Append(1, 10, 100, 0, before);
        store.Append(1, 11, 200, 0, before);
        HistoryAppend append = store.Append(1, 12, 50, 0, before);
        Assert.Equal(new HistoryAppend(0, true, false, true), append);
        Assert.Equal(2, store.Get(1, before));
        Assert.Equal([10UL, 11UL], before);
    }

    [Fact]
    public void Append_SameTime_KeepsTheOrderOfArrival()
    {
        HistoryStore store = new(new HistoryOptions { Length = 8, MaxUsers = 10 });
        ulong[] before = new ulong[8];
        for (ulong item = 1; item <= 5; item++)
        {
            store.Append(1, item, 100, 0, before);
        }

        Assert.Equal(5, store.Get(1, before));
        Assert.Equal([1UL, 2UL, 3UL, 4UL, 5UL], before[..5]);
    }

    [Fact]
    public void Append_ExtremeTimes_DoNotOverflowIntoLateness()
    {
        HistoryStore store = new(new HistoryOptions { Length = 4, MaxUsers = 10 });
        ulong[] before = new ulong[4];
        store.Append(1, 1, 1, long.MaxValue, before);
        Assert.False(store.Append(1, 2, long.MaxValue, long.MaxValue, before).IsLate);
        Assert.False(store.Append(1, 3, 1, long.MaxValue, before).IsLate);
    }

    /// <summary>The topic has grown: the user's later events are in another partition, and its earlier ones may be read after them.</summary>
    [Fact]
    public void Append_SeveralPartitions_KeepsThatOfTheNewestEvent()
    {
        IngestState state = new(new HistoryOptions { Length = 2, MaxUsers = 10 }, new DedupOptions());
        Assert.Equal(3, PartitionAfter(state, time: 100, partition: 3));
        Assert.Equal(5, PartitionAfter(state, time: 200, partition: 5));
        Assert.Equal(5, PartitionAfter(state, time: 150, partition: 3));
        Assert.Equal(5, PartitionAfter(state, time: 50, partition: 3));
        Assert.Equal(3, PartitionAfter(state, time: 200, partition: 3));
        Assert.Equal(HistoryStore.UnknownPartition, PartitionAfter(state, time: 300, HistoryStore.UnknownPartition));
        Assert.Equal(7, PartitionAfter(state, time: 50, partition: 7));
        Assert.Equal(65_534, PartitionAfter(state, time: 400, partition: 65_534));
        Assert.Equal(HistoryStore.UnknownPartition, PartitionAfter(state, time: 500, partition: 70_000));
        Assert.Equal(HistoryStore.UnknownPartition, PartitionAfter(state, time: 600, partition: -1));
    }

    [Fact]
    public void Append_LongestHistoryInTheHighestPartition_KeepsBoth()
    {
        IngestState state = new(new HistoryOptions { Length = 1024, MaxUsers = 10 }, new DedupOptions());
        for (int i = 0; i < 1024; i++)
        {
            Assert.Equal(65_534, PartitionAfter(state, time: i, partition: 65_534));
            Assert.Equal(i + 1, state.Histories.Get(1, new ulong[1024]));
        }
    }

    [Fact]
    public void Append_PartitionChangesUnderASnapshot_TheSnapshotKeepsTheOldOne()
    {
        IngestState state = new(new HistoryOptions { Length = 1, MaxUsers = 10 }, new DedupOptions());
        PartitionAfter(state, time: 100, partition: 3);
        using IngestSnapshot snapshot = state.Share();
        Assert.Equal(4, PartitionAfter(state, time: 200, partition: 4));
        using var bytes = new MemoryStream();
        snapshot.WriteTo(bytes);
        bytes.Position = 0;
        var stored = new StoredIngest(bytes);
        Assert.True(stored.Histories.MoveNext());
        Assert.Equal(3, stored.Histories.Partition);
    }

    [Fact]
    public void Append_FloodFromOneUser_TakesNoMoreMemory()
    {
        HistoryStore store = new(new HistoryOptions { Length = 50, MaxUsers = 1000 });
        ulong[] before = new ulong[50];
        for (int i = 0; i < 100; i++)
        {
            store.Append(7, (ulong)i, i, 0, before);
        }

        long bytes = store.Bytes;
        for (int i = 0; i < 200_000; i++)
        {
            store.Append(7, (ulong)i, i, 0, before);
        }

        Assert.Equal(bytes, store.Bytes);
        Assert.Equal(1, store.UserCount);
    }

    [Fact]
    public void Append_UsersComeAndGo_BlocksAreUsedAgain()
    {
        HistoryStore store = new(new HistoryOptions { Length = 20, MaxUsers = 100 });
        ulong[] before = new ulong[20];
        long bytes = 0;
        for (int round = 0; round < 50; round++)
        {
            for (int i = 0; i < 100 * 20; i++)
            {
                store.Append((ulong)((round * 100) + (i % 100)), (ulong)i, i, 0, before);
            }

            bytes = round == 1 ? store.Bytes : bytes;
        }

        Assert.Equal(bytes, store.Bytes);
        Assert.Equal(4900, store.Evictions);
    }

    [Theory]
    [InlineData(0, 10, "Length is 0")]
    [InlineData(1025, 10, "Length is 1025")]
    [InlineData(10, 0, "MaxUsers is 0")]
    public void Constructor_OutOfBounds_NamesTheSetting(int length, int users, string expected) =>
        Assert.StartsWith(
            expected,
            Assert.Throws<OptionsException>(() => new HistoryStore(new HistoryOptions { Length = length, MaxUsers = users })).Message,
            StringComparison.Ordinal
        );

    private static int PartitionAfter(IngestState state, long time, int partition)
    {
        state.Histories.Append(1, 10, time, 0, new ulong[state.Histories.Length], partition);
        return Assert.Single(StoredUsers.Of(state).Users).Partition;
    }

    private static void AssertSame(ReferenceHistories reference, HistoryStore store, int users)
    {
        ulong[] items = new ulong[store.Length];
        for (int user = 0; user < users; user++)
        {
            int count = store.Get((ulong)user << 40, items);
            Assert.Equal(reference.Get((ulong)user << 40), items[..count]);
        }
    }
}
