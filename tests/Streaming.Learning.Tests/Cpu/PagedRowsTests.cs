using Xunit;

namespace Streaming.Learning.Tests;

public sealed class PagedRowsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(700, 3)]
    [InlineData(64, 2000)]
    public void ReadSnapshot_RowsChangedAfterwards_ShowsThemAsTheyWere(int rows, int columns)
    {
        var table = new PagedRows(rows, columns);
        Fill(table, new Random(1));
        float[] then = table.Data.ToArray();
        table.BeginSnapshot(0, rows);
        var random = new Random(2);
        for (int i = 0; i < rows; i++)
        {
            int row = random.Next(rows);
            table.Touch(row);
            table.Row(row).Fill(-7);
        }

        var read = new float[rows * columns];
        table.ReadSnapshot(0, read);
        Assert.Equal(then, read);
        table.EndSnapshot();
        table.BeginSnapshot(0, rows);
        table.ReadSnapshot(0, read);
        Assert.Equal(table.Data.ToArray(), read);
    }

    [Fact]
    public void ReadSnapshot_PartOfTheRows_KeepsThose()
    {
        var table = new PagedRows(1000, 16);
        Fill(table, new Random(1));
        float[] then = table.Data.Slice(300 * 16, 200 * 16).ToArray();
        table.BeginSnapshot(300, 200);
        table.Touch(0, 1000);
        table.Data.Clear();
        var read = new float[200 * 16];
        table.ReadSnapshot(300 * 16, read);
        Assert.Equal(then, read);
    }

    [Fact]
    public async Task ReadSnapshot_WhileTheOwnerWrites_ShowsOneMoment()
    {
        // Every write bumps all values of a row; a torn page would show two numbers in a row, a late one a later number.
        const int rows = 20_000, columns = 24;
        var table = new PagedRows(rows, columns);
        var random = new Random(3);
        for (int round = 0; round < 5; round++)
        {
            float[] then = table.Data.ToArray();
            table.BeginSnapshot(0, rows);
            var reading = Task.Run(
                () =>
                {
                    var read = new float[rows * columns];
                    for (int at = 0; at < read.Length; at += 1000)
                    {
                        table.ReadSnapshot(at, read.AsSpan(at, Math.Min(1000, read.Length - at)));
                    }

                    return read;
                },
                TestContext.Current.CancellationToken);
            do
            {
                int row = random.Next(rows);
                table.Touch(row);
                table.Row(row).Fill(table.Row(row)[0] + 1);
            }
            while (!reading.IsCompleted);

            Assert.Equal(then, await reading);
            table.EndSnapshot();
        }
    }

    [Fact]
    public void BeginSnapshot_Twice_IsRefused()
    {
        var table = new PagedRows(4, 4);
        table.BeginSnapshot(0, 4);
        Assert.Throws<InvalidOperationException>(() => table.BeginSnapshot(0, 4));
    }

    private static void Fill(PagedRows table, Random random)
    {
        foreach (ref float value in table.Data)
        {
            value = random.NextSingle();
        }
    }
}
