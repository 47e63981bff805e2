using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Xunit;

namespace Streaming.Core.Tests.Ingestion;

/// <summary>The ingestion states of N ranks continue on M.</summary>
public sealed class IngestDealTests
{
    private const int Partitions = 7;
    private const int Unknown = HistoryStore.UnknownPartition;
    private const int Ids = 1000;
    private static readonly HistoryOptions Histories = new() { Length = 20, MaxUsers = 1000 };
    private static readonly DedupOptions Dedup = new() { Capacity = 10_000, Window = TimeSpan.FromSeconds(1000) };

    public static TheoryData<int, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<int, int>();
            for (int from = 1; from <= 4; from++)
            {
                for (int to = 1; to <= 4; to++)
                {
                    sizes.Add(from, to);
                }
            }

            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Deal_ToOthersAndBackToOne_LosesAndDoublesNothing(int from, int to)
    {
        IngestState[] before = OfRanks(from);
        IngestState[] after = Deal(before, to);
        var all = StoredUsers.Of(Assert.Single(Deal(after, 1)));
        var expected = StoredUsers.Of(Assert.Single(OfRanks(1)));
        Assert.Equal(300, expected.Users.Count);
        Assert.Equal(expected.Users, all.Users);
        Assert.Equal(Ids, expected.Ids.Count);
        Assert.Equal(expected.Ids.Order(), all.Ids.Order());
        Assert.Equal(expected.Head.Totals, all.Head.Totals);
        Assert.Equal(expected.Head.Histories.Evictions, all.Head.Histories.Evictions);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Deal_AnyNumbers_GivesEachRankTheUsersOfItsPartitions(int from, int to)
    {
        IngestState[] after = Deal(OfRanks(from), to);
        for (int rank = 0; rank < to; rank++)
        {
            var held = StoredUsers.Of(after[rank]);
            Assert.All(held.Users, user => Assert.Equal(rank, user.Partition % to));
            Assert.Equal(Ids, held.Ids.Count);
            Assert.Equal(rank == 0, held.Head.Totals.Read > 0);
            Assert.Equal(from * 10, held.Head.NextSequence);
            Assert.Equal(new IngestDealing(from, held.Users.Count, 0, 0, 0), after[rank].Dealing);
        }

        Assert.Equal(300, after.Sum(static state => state.Histories.UserCount));
    }

    [Fact]
    public void Deal_UsersOfUnknownPartition_GoToEveryRankAndBecomeOneUserAgain()
    {
        IngestState one = Create();
        Append(one, user: 1, item: 10, time: 100, Unknown);
        Append(one, user: 2, item: 20, time: 200, Unknown);
        IngestState[] two = Deal([one], 2);
        Assert.All(two, state => Assert.Equal(2, state.Histories.UserCount));
        Assert.All(two, state => Assert.Equal(new IngestDealing(1, 2, 2, 0, 0), state.Dealing));

        // User 1 comes back on partition 3, which rank 1 of 2 reads; user 2 never does.
        Append(two[1], user: 1, item: 11, time: 300, partition: 3);
        IngestState[] three = Deal(two, 3);
        Assert.Equal([new(2, Unknown, "(20, 200)"), new(1, 3, "(10, 100) (11, 300)")], StoredUsers.Of(three[0]).Users);
        Assert.Equal([new(2, Unknown, "(20, 200)"), new(1, 3, "(10, 100) (11, 300)")], StoredUsers.Of(Assert.Single(Deal(three, 1))).Users);
    }

    [Fact]
    public void Deal_UserOfSeveralPartitions_HasTheUnionAndThePartitionOfTheNewest()
    {
        IngestState first = Create(),
            second = Create();
        Append(first, user: 1, item: 10, time: 100, partition: 0);
        Append(first, user: 1, item: 12, time: 300, partition: 0);
        Append(second, user: 1, item: 11, time: 200, partition: 1);
        Append(second, user: 1, item: 13, time: 300, partition: 1);
        Append(second, user: 1, item: 14, time: 400, partition: 1);
        var joined = StoredUsers.Of(Assert.Single(Deal([first, second], 1)));
        Assert.Equal(new(1, 1, "(10, 100) (11, 200) (12, 300) (13, 300) (14, 400)"), Assert.Single(joined.Users));
    }

    [Fact]
    public void Deal_CopiesThatShareEntries_KeepEachEntryOnceAndRealRepeatsTwice()
    {
        IngestState first = Create(),
            second = Create();
        foreach (IngestState state in (IngestState[])[first, second])
        {
            Append(state, user: 1, item: 10, time: 100, Unknown);
            Append(state, user: 1, item: 10, time: 100, Unknown);
            Append(state, user: 1, item: 11, time: 100, Unknown);
        }

        Append(second, user: 1, item: 10, time: 100, partition: 1);
        var joined = StoredUsers.Of(Assert.Single(Deal([first, second], 1)));
        Assert.Equal(new(1, 1, "(10, 100) (10, 100) (11, 100) (10, 100)"), Assert.Single(joined.Users));
    }

    [Fact]
    public void Deal_UnionLongerThanAHistory_KeepsTheNewest()
    {
        IngestState first = Create(),
            second = Create();
        for (int i = 0; i < 20; i++)
        {
            Append(first, user: 1, item: (ulong)i, time: 2 * i, partition: 0);
            Append(second, user: 1, item: (ulong)(100 + i), time: (2 * i) + 1, partition: 1);
        }

        ulong[] items = new ulong[20];
        Assert.Equal(20, Assert.Single(Deal([first, second], 1)).Histories.Get(1, items));
        Assert.Equal(Enumerable.Range(10, 10).SelectMany(i => (ulong[])[(ulong)i, (ulong)(100 + i)]), items);
    }

    [Fact]
    public void Deal_MoreThanFits_KeepsTheMostRecentAndSaysHowManyItForgot()
    {
        IngestState[] before = OfRanks(3);
        var small = IngestState.Deal(
            [.. before.Select(Stream)],
            0,
            1,
            new HistoryOptions { Length = 20, MaxUsers = 100 },
            new DedupOptions { Capacity = 50, Window = Dedup.Window }
        );
        StoredUsers all = StoredUsers.Of(Assert.Single(Deal(before, 1))),
            kept = StoredUsers.Of(small);
        Assert.Equal(all.Users.TakeLast(100), kept.Users);
        Assert.Equal(all.Ids.TakeLast(50), kept.Ids);
        Assert.Equal(new IngestDealing(3, 300, 0, 200, 950), small.Dealing);
        Assert.Equal(all.Head.Histories.Evictions + 200, small.Histories.Evictions);
        Assert.Contains("200 users", small.Dealing!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>One rank is a long way behind: its ids are old by the clock of the other, and as new as any by its own.</summary>
    [Fact]
    public void Deal_WindowsAtDifferentTimes_RememberEachIdAsLongAsItsOwnWouldHave()
    {
        IngestState ahead = Create(),
            behind = Create();
        ahead.Dedup.TryAdd(1, 10_000_000);
        ahead.Dedup.TryAdd(2, 10_000_500);
        behind.Dedup.TryAdd(3, 1_000);
        behind.Dedup.TryAdd(4, 1_900);
        IngestState joined = Assert.Single(Deal([ahead, behind], 1));
        Assert.Equal([(3UL, 9_999_600L), (1UL, 10_000_000L), (2UL, 10_000_500L), (4UL, 10_000_500L)], StoredUsers.Of(joined).Ids);
        Assert.False(joined.Dedup.TryAdd(3, 1_950));
        Assert.True(joined.Dedup.TryAdd(3, 10_000_500 + 1_000_000));
    }

    [Fact]
    public void Deal_StateWithoutIds_LeavesTheOthersAsTheyAre()
    {
        IngestState empty = Create(),
            full = Create();
        full.Dedup.TryAdd(1, 100);
        Assert.Equal([(1UL, 100L)], StoredUsers.Of(Assert.Single(Deal([empty, full], 1))).Ids);
        Assert.Empty(StoredUsers.Of(Assert.Single(Deal([empty, empty], 1))).Ids);
    }

    [Fact]
    public void Deal_OneSnapshotCutOff_IsRefused()
    {
        byte[] good = StoredUsers.Bytes(OfRanks(1)[0]);
        Stream[] sources = [new MemoryStream(good), new MemoryStream(good[..^20])];
        Assert.Contains(
            "truncated",
            Assert.Throws<InvalidDataException>(() => IngestState.Deal(sources, 0, 1, Histories, Dedup)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(-1, 2)]
    [InlineData(0, 0)]
    public void Deal_RankOutOfRange_IsRefused(int rank, int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => IngestState.Deal([Stream(Create())], rank, size, Histories, Dedup));

    /// <summary>The same events, read by a number of ranks, each its own partitions.</summary>
    private static IngestState[] OfRanks(int size)
    {
        IngestState[] states = [.. Enumerable.Range(0, size).Select(rank => Create(sequence: 10 * (rank + 1)))];
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            // Every user in the first 300; a user is always of one partition.
            int user = i < 300 ? i : random.Next(300);
            IngestState state = states[user % Partitions % size];
            Append(state, (ulong)user, (ulong)random.Next(50), i, user % Partitions);
            if (i >= 3000 - Ids)
            {
                state.Dedup.TryAdd((ulong)i, 5_000);
            }

            EventCounts totals = state.Totals;
            totals.Add(new EventCounts { Read = 1, Trained = 1 });
            state.Totals = totals;
        }

        return states;
    }

    private static IngestState Create(long sequence = 0) => new(Histories, Dedup) { NextSequence = sequence };

    private static void Append(IngestState state, ulong user, ulong item, long time, int partition) =>
        state.Histories.Append(user, item, time, 0, new ulong[state.Histories.Length], partition);

    private static IngestState[] Deal(IReadOnlyList<IngestState> states, int size) =>
        [.. Enumerable.Range(0, size).Select(rank => IngestState.Deal([.. states.Select(Stream)], rank, size, Histories, Dedup))];

    private static MemoryStream Stream(IngestState state) => new(StoredUsers.Bytes(state));
}
