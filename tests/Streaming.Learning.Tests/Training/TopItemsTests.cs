using Streaming.Learning.Counts;
using Streaming.Learning.Items;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public sealed class TopItemsTests : IDisposable
{
    private readonly FakeEngine _engine = new(
        new ModelOptions
        {
            Widths = [4],
            ItemCapacity = 512,
            BankCapacity = 0,
            Loss = LossKind.InBatch,
        }
    );
    private readonly ItemTable _items;

    public TopItemsTests()
    {
        _items = new ItemTable(_engine, new ItemTableOptions());
        for (int i = 0; i < 400; i++)
        {
            _items.Touch(Key(i), System.Text.Encoding.UTF8.GetBytes($"i{i}"), 1);
        }
    }

    public void Dispose() => _engine.Dispose();

    /// <summary>Few distinct scores, so that there are ties everywhere: the best that fit, without the ones that tie at the end.</summary>
    [Theory]
    [InlineData(1, 400, 10)]
    [InlineData(20, 400, 1000)]
    [InlineData(20, 400, 8)]
    [InlineData(50, 30, 5)]
    [InlineData(400, 400, 30)]
    public void AddTo_RandomScores_AreTheBestWithoutTiesAtTheEnd(int length, int offered, int levels)
    {
        var random = new Random(length + levels);
        float[] scores = [.. Enumerable.Range(0, offered).Select(_ => (float)random.Next(levels))];
        var top = new TopItems(length, []);
        for (int round = 0; round < 2; round++)
        {
            top.Clear();
            foreach (int i in Enumerable.Range(0, offered).OrderBy(_ => random.Next()))
            {
                top.Offer(Key(i), scores[i]);
            }

            // An item is in when everything that is level with it fits.
            int[] expected = [.. Enumerable.Range(0, offered).Where(i => scores.Count(other => other >= scores[i]) <= length)];
            SparseScores found = Scores(top);
            Assert.Equal(expected.Select(i => _items.Find(Key(i))).Order(), found.Rows.ToArray().Order());
            Assert.All(
                expected,
                i =>
                    Assert.All(
                        expected,
                        j => Assert.Equal(scores[i].CompareTo(scores[j]), found[_items.Find(Key(i))].CompareTo(found[_items.Find(Key(j))]))
                    )
            );
        }
    }

    [Fact]
    public void Offer_NotANumber_IsLeftOut()
    {
        var top = new TopItems(3, []);
        top.Offer(Key(1), float.NaN);
        top.Offer(Key(2), 1);

        Assert.Equal([_items.Find(Key(2))], Scores(top).Rows.ToArray());
    }

    [Fact]
    public void Threshold_ListFull_IsTheLeastScore()
    {
        var top = new TopItems(2, []);
        top.Offer(Key(1), 5);
        Assert.Equal(float.NegativeInfinity, top.Threshold);

        top.Offer(Key(2), 3);
        top.Offer(Key(3), 4);

        Assert.Equal(4, top.Threshold);
    }

    private static ulong Key(int i) => Batches.Key($"i{i}");

    private SparseScores Scores(TopItems top)
    {
        var scores = new SparseScores(512);
        top.AddTo(scores, _items);
        return scores;
    }
}
