using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Serving.Changes;
using Streaming.Serving.Search;
using Xunit;

namespace Streaming.Serving.Tests.Search;

public class VectorTableTests
{
    private static readonly int[] Widths = [4, 8];

    /// <summary>More items than a segment, that come, change and go, beside a dictionary.</summary>
    [Theory]
    [InlineData(RowElement.Float32)]
    [InlineData(RowElement.Float16)]
    [InlineData(RowElement.Int8)]
    public void SetRemove_RandomOperations_AgreeWithTheReference(RowElement element)
    {
        using VectorTable table = new(Widths, element);
        Dictionary<string, (float[] Vector, uint Token, long Step)> expected = [];
        Random random = new(1);
        for (int i = 0; i < 20_000; i++)
        {
            string id = $"item-{random.Next(6000)}";
            if (random.Next(5) == 0)
            {
                table.Remove(id);
                expected.Remove(id);
            }
            else
            {
                // Halves up to 127 ÷ 2: exact in each element with its scale.
                float[] vector = [63.5f, .. Enumerable.Range(0, 7).Select(_ => random.Next(-127, 128) / 2f)];
                table.Set(id, vector, new EmbeddingStamp(1, (uint)random.Next(1, 4), i, 0));
                expected[id] = (vector, 0, i);
            }
        }

        Assert.Equal(expected.Count, table.Count);
        Assert.InRange(expected.Count, ItemSegment.Rows, 6000);
        float[] read = new float[8];
        foreach (string id in Enumerable.Range(0, 6000).Select(i => $"item-{i}"))
        {
            bool found = table.TryRead(RedisKeys.Hash(id), read, out string stored, out long step);
            Assert.Equal(expected.ContainsKey(id), found);
            if (found)
            {
                Assert.Equal((id, expected[id].Step), (stored, step));
                Assert.Equal(expected[id].Vector, read);
            }
        }

        Assert.Equal(
            expected.Keys.Order(StringComparer.Ordinal),
            Enumerable.Range(0, table.Used).Select(table.IdAt).OfType<string>().Order(StringComparer.Ordinal)
        );
        foreach (double start in (double[])[0, 0.3, 0.69, 0.9999, 1])
        {
            Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), table.Ids(start).Order(StringComparer.Ordinal));
        }

        Assert.NotEqual(table.Ids(0).First(), table.Ids(0.5).First());
    }

    [Fact]
    public void Has_ByTokenThenStep_IsWhatIsThereOrOlder()
    {
        using VectorTable table = new(Widths, RowElement.Float32);
        table.Set("a", new float[8], new EmbeddingStamp(1, 5, 100, 0));

        Assert.True(table.Has(new FeedChange("a", 1, 5, 100, false)));
        Assert.True(table.Has(new FeedChange("a", 1, 4, 900, false)));
        Assert.False(table.Has(new FeedChange("a", 1, 5, 101, false)));
        Assert.False(table.Has(new FeedChange("a", 1, 6, 1, false)));
        Assert.False(table.Has(new FeedChange("b", 1, 1, 1, false)));
    }

    [Fact]
    public void Set_AfterRemove_TakesTheRowAgain()
    {
        using VectorTable table = new(Widths, RowElement.Float32);
        table.Set("a", new float[8], default);
        table.Set("b", new float[8], default);
        long bytes = table.Bytes;
        table.Remove("a");
        table.Remove("a"); // a second time changes nothing: the row is not given twice

        table.Set("c", new float[8], default);
        table.Set("d", new float[8], default);

        Assert.Equal((3, 3, bytes), (table.Count, table.Used, table.Bytes));
        Assert.Equal(["c", "b", "d"], Enumerable.Range(0, 3).Select(table.IdAt));
    }
}
