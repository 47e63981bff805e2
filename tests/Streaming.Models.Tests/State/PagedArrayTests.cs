using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.State;

public sealed class PagedArrayTests
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
        table.Values.BeginSnapshot(0, rows * columns);
        var random = new Random(2);
        for (int i = 0; i < rows; i++)
        {
            int row = random.Next(rows);
            table.Touch(row);
            table.Row(row).Fill(-7);
        }

        float[] read = new float[rows * columns];
        table.Values.ReadSnapshot(0, read);
        Assert.Equal(then, read);
        table.Values.EndSnapshot();
        table.Values.BeginSnapshot(0, rows * columns);
        table.Values.ReadSnapshot(0, read);
        Assert.Equal(table.Data.ToArray(), read);
    }

    [Fact]
    public void ReadSnapshot_PartOfTheRows_KeepsThose()
    {
        var table = new PagedRows(1000, 16);
        Fill(table, new Random(1));
        float[] then = table.Data.Slice(300 * 16, 200 * 16).ToArray();
        table.Values.BeginSnapshot(300 * 16, 200 * 16);
        table.Touch(0, 1000);
        table.Data.Clear();
        float[] read = new float[200 * 16];
        table.Values.ReadSnapshot(300 * 16, read);
        Assert.Equal(then, read);
    }

    [Fact]
    public async Task ReadSnapshot_WhileTheOwnerWrites_ShowsOneMoment()
    {
        // Every write increments all values of a row; a torn page would show two numbers in a row, a late one a later number.
        const int rows = 20_000,
            columns = 24;
        var table = new PagedRows(rows, columns);
        var random = new Random(3);
        for (int round = 0; round < 5; round++)
        {
            float[] then = table.Data.ToArray();
            table.Values.BeginSnapshot(0, rows * columns);
            Task<float[]> reading = Task.Run(
                () =>
                {
                    float[] read = new float[rows * columns];
                    for (int at = 0; at < read.Length; at += 1000)
                    {
                        table.Values.ReadSnapshot(at, read.AsSpan(at, Math.Min(1000, read.Length - at)));
                    }

                    return read;
                },
                TestContext.Current.CancellationToken
            );
            do
            {
                int row = random.Next(rows);
                table.Touch(row);
                table.Row(row).Fill(table.Row(row)[0] + 1);
            } while (!reading.IsCompleted);

            Assert.Equal(then, await reading);
            table.Values.EndSnapshot();
        }
    }

    [Fact]
    public void BeginSnapshot_Twice_IsRefused()
    {
        var table = new PagedRows(4, 4);
        table.Values.BeginSnapshot(0, 4);
        Assert.Throws<InvalidOperationException>(() => table.Values.BeginSnapshot(0, 4));
    }

    [Fact]
    public void ReleaseSnapshot_PartOfTheValues_KeepsTheOthers()
    {
        var values = new PagedArray<int>(10_000);
        int end = 5_000;
        values.BeginSnapshot(0, values.Length);
        values.ReleaseSnapshot(0, end);
        values.Touch(0, values.Length);
        values.Data.Fill(1);
        int[] read = new int[values.Length];
        values.ReadSnapshot(end, read.AsSpan(end));
        Assert.All(read, value => Assert.Equal(0, value));
        values.EndSnapshot();

        // The next one again has everything.
        values.BeginSnapshot(0, values.Length);
        values.Touch(0, values.Length);
        values.Data.Fill(2);
        values.ReadSnapshot(0, read);
        Assert.All(read, value => Assert.Equal(1, value));
    }

    [Fact]
    public void ReadSnapshot_StringsChangedAfterwards_ShowsThemAsTheyWere()
    {
        var texts = new PagedArray<string?>(1000);
        for (int i = 0; i < texts.Length; i += 2)
        {
            texts.Data[i] = $"text {i}";
        }

        string?[] then = texts.Data.ToArray();
        texts.BeginSnapshot(0, texts.Length);
        for (int i = 0; i < texts.Length; i += 3)
        {
            texts.Change(i) = "changed";
        }

        string?[] read = new string?[texts.Length];
        texts.ReadSnapshot(0, read);
        Assert.Equal(then, read);
    }

    private static void Fill(PagedRows table, Random random)
    {
        foreach (ref float value in table.Data)
        {
            value = random.NextSingle();
        }
    }
}
