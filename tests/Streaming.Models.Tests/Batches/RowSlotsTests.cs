using Streaming.Models.Batches;
using Xunit;

namespace Streaming.Models.Tests.Batches;

public sealed class RowSlotsTests
{
    /// <summary>Several steps in a row, so that what the last one left is in the table, and enough rows to make it grow.</summary>
    [Theory]
    [InlineData(10, 50)]
    [InlineData(5000, 4000)]
    public void Add_RandomRows_NumbersThemInOrderOfFirstUse(int rows, int additions)
    {
        var slots = new RowSlots();
        var random = new Random(rows);
        for (int step = 0; step < 5; step++)
        {
            slots.Clear();
            Dictionary<int, int> expected = [];
            for (int i = 0; i < additions; i++)
            {
                int row = random.Next(rows);
                expected.TryAdd(row, expected.Count);
                Assert.Equal(expected[row], slots.Add(row));
            }

            Assert.Equal(expected.OrderBy(pair => pair.Value).Select(pair => pair.Key), slots.Rows.ToArray());
            Assert.All(Enumerable.Range(0, rows), row => Assert.Equal(expected.GetValueOrDefault(row, -1), slots.IndexOf(row)));
        }
    }

    [Fact]
    public void Clear_EmptiesTheTable()
    {
        var slots = new RowSlots();
        slots.Clear();
        slots.Add(7);

        slots.Clear();

        Assert.Equal((0, -1), (slots.Count, slots.IndexOf(7)));
    }
}
