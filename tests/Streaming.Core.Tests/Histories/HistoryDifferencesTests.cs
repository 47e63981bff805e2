using Streaming.Core.Histories;
using Xunit;

namespace Streaming.Core.Tests.Histories;

/// <summary>A trainer goes back to an older state: what the store holds of the life that was given up must be replaced.</summary>
public class HistoryDifferencesTests
{
    private const int Length = 5;

    /// <summary>Whatever happened since: the batches hold each user whose history differs, as it was, and no other.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Between_RandomLives_HasExactlyThoseThatDiffer(int seed)
    {
        Random random = new(seed);
        HistoryStore kept = Store(),
            abandoned = Store();
        for (int i = 0; i < 400; i++)
        {
            var common = Event.Next(random, users: 60, time: i);
            common.AddTo(kept);
            common.AddTo(abandoned);
        }

        for (int i = 400; i < 460; i++)
        {
            Event.Next(random, users: 90, time: i).AddTo(abandoned);
        }

        IReadOnlyList<UserHistoryBatch> batches = HistoryDifferences.Between(HistoryDifferences.Ages(abandoned), kept, Length);

        var found = batches
            .SelectMany(batch => Enumerable.Range(0, batch.Count).Select(i => (batch.Users[i], batch.ItemsOf(i).ToArray())))
            .ToDictionary();
        ulong[] differing =
        [
            .. Enumerable
                .Range(0, abandoned.UserCount)
                .Select(abandoned.UserAt)
                .Where(user => !Items(kept, user).SequenceEqual(Items(abandoned, user))),
        ];
        Assert.Equal(differing.Order(), found.Keys.Order());
        Assert.All(found, pair => Assert.Equal(Items(kept, pair.Key), pair.Value));
        Assert.Contains(found.Values, items => items.Length == 0);
        Assert.Contains(found.Values, items => items.Length > 0);
    }

    [Fact]
    public void Between_ManyUsers_FillsBatchesOfABoundedSize()
    {
        HistoryStore abandoned = Store();
        for (ulong user = 1; user <= 2500; user++)
        {
            new Event(user, 1, 1).AddTo(abandoned);
        }

        IReadOnlyList<UserHistoryBatch> batches = HistoryDifferences.Between(HistoryDifferences.Ages(abandoned), Store(), Length);

        Assert.Equal([1024, 1024, 452], batches.Select(batch => batch.Count));
    }

    [Fact]
    public void Between_FewerItemsAsked_HandsOutTheNewest()
    {
        HistoryStore kept = Store(),
            abandoned = Store();
        foreach (ulong item in (ulong[])[1, 2, 3, 4])
        {
            new Event(7, item, (long)item).AddTo(kept);
        }

        new Event(7, 9, 9).AddTo(abandoned);

        UserHistoryBatch batch = Assert.Single(HistoryDifferences.Between(HistoryDifferences.Ages(abandoned), kept, 2));

        Assert.Equal([3UL, 4UL], batch.ItemsOf(0).ToArray());
    }

    [Fact]
    public void Between_SameLife_IsEmpty()
    {
        HistoryStore store = Store();
        new Event(1, 2, 3).AddTo(store);

        Assert.Empty(HistoryDifferences.Between(HistoryDifferences.Ages(store), store, Length));
    }

    private static HistoryStore Store() => new(new HistoryOptions { Length = Length, MaxUsers = 5000 });

    private static ulong[] Items(HistoryStore store, ulong user)
    {
        ulong[] items = new ulong[Length];
        return items[..store.GetNewest(user, items, out _)];
    }

    private sealed record Event(ulong User, ulong Item, long Time)
    {
        public static Event Next(Random random, int users, long time) =>
            new((ulong)random.Next(1, users), (ulong)random.Next(1, 30), 1000 + time - random.Next(3));

        public void AddTo(HistoryStore store) => store.Append(User, Item, Time, 1000, new ulong[Length]);
    }
}
