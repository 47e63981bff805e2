using Streaming.Learning.Counts;
using Xunit;

namespace Streaming.Learning.Tests.Counts;

public class CountListsTests
{
    [Fact]
    public void Add_WhileThereIsRoom_IsExact()
    {
        var lists = new CountLists("lists", rows: 4, new SlotPool(10_000_000));
        var expected = new Dictionary<ulong, float>[4];
        var random = new Random(3);
        for (int row = 0; row < expected.Length; row++)
        {
            expected[row] = [];
        }

        for (int i = 0; i < 8_000; i++)
        {
            int row = random.Next(4);
            ulong key = (ulong)random.Next(512);
            lists.Add(row, key, 1);
            expected[row][key] = expected[row].GetValueOrDefault(key) + 1;
        }

        for (int row = 0; row < expected.Length; row++)
        {
            Assert.Equal(expected[row].OrderBy(pair => pair.Key), Read(lists, row).OrderBy(pair => pair.Key));
        }

        Assert.Equal((8_000, 0), (lists.Added, lists.Lost));
    }

    /// <summary>The error bounds of Space-Saving.</summary>
    [Fact]
    public void Add_MoreKeysThanTheLongestList_StaysWithinTheStatedError()
    {
        var lists = new CountLists("lists", rows: 1, new SlotPool(10_000_000));
        var truth = new Dictionary<ulong, float>();
        var random = new Random(4);
        for (int i = 0; i < 200_000; i++)
        {
            ulong key = (ulong)(5_000 * Math.Pow(random.NextDouble(), 4));
            lists.Add(0, key, 1);
            truth[key] = truth.GetValueOrDefault(key) + 1;
        }

        Dictionary<ulong, float> kept = Read(lists, 0);
        var errors = lists.Keys(0).ToArray().Zip(lists.Errors(0).ToArray()).ToDictionary(pair => pair.First, pair => pair.Second);
        float lightest = kept.Values.Min();
        Assert.Equal(512, kept.Count);
        Assert.Equal(200_000, lists.Added);
        Assert.Equal(200_000 - kept.Values.Sum() + errors.Values.Sum(), lists.Lost);
        Assert.InRange(lightest, 1, 200_000f / 512);
        Assert.All(errors.Values, error => Assert.InRange(error, 0, lightest));
        Assert.All(kept, pair => Assert.InRange(truth[pair.Key], pair.Value - errors[pair.Key], pair.Value));
        Assert.All(truth.Where(pair => pair.Value > lightest), pair => Assert.Contains(pair.Key, kept.Keys));
    }

    [Fact]
    public void Add_PoolWithoutRoom_KeepsShortListsAndSaysWhatItRefused()
    {
        // One chunk of 65,536 slots of 16 bytes: 8,192 lists of 8.
        var pool = new SlotPool(1);
        var lists = new CountLists("lists", rows: 9_000, pool);
        for (int row = 0; row < 9_000; row++)
        {
            lists.Add(row, 1, 1);
        }

        for (ulong key = 2; key < 40; key++)
        {
            lists.Add(0, key, 1);
        }

        // No room for a first block of the last lists; and 31 of the first list's keys were replaced.
        Assert.Equal(9_000 - 8_192 + 31, lists.Lost);
        Assert.Equal(8, lists.Keys(0).Length);
        Assert.Equal(SlotChunk.Bytes, pool.Bytes);
    }

    [Fact]
    public void Clear_ListsThatCameAndWent_UseTheirMemoryAgain()
    {
        var pool = new SlotPool(1);
        var lists = new CountLists("lists", rows: 100, pool);
        for (int round = 0; round < 200; round++)
        {
            for (int row = 0; row < 100; row++)
            {
                for (ulong key = 0; key < 100; key++)
                {
                    lists.Add(row, key, 1);
                }
            }

            Assert.All(Enumerable.Range(0, 100), row => Assert.Equal(100, lists.Keys(row).Length));
            for (int row = 0; row < 100; row++)
            {
                lists.Clear(row);
            }
        }

        Assert.Equal(0, lists.Lost);
        Assert.Equal(SlotChunk.Bytes, pool.Bytes);
    }

    private static Dictionary<ulong, float> Read(CountLists lists, int row) =>
        lists.Keys(row).ToArray().Zip(lists.Weights(row).ToArray()).ToDictionary(pair => pair.First, pair => pair.Second);
}
