using Streaming.Kernels.Search;
using Xunit;

namespace Streaming.Kernels.Tests.Search;

public class BestRowsTests
{
    [Theory]
    [InlineData(1000, 20, 64)]
    [InlineData(1000, 500, 1000)]
    [InlineData(10, 20, 3)]
    [InlineData(5000, 1, 4096)]
    public void Offer_InSlices_KeepsWhatSortingKeeps(int count, int most, int slice)
    {
        Random random = new(count + most);
        // Few distinct scores, so that most are tied.
        float[] scores = [.. Enumerable.Range(0, count).Select(_ => random.Next(count / 4 + 2) - 5f)];
        byte[] present = [.. Enumerable.Range(0, count).Select(_ => (byte)(random.Next(4) == 0 ? 0 : 1))];
        int[] rows = new int[most];
        float[] kept = new float[most];
        BestRows best = new(rows, kept);
        for (int from = 0; from < count; from += slice)
        {
            int length = Math.Min(slice, count - from);
            best.Offer(from, scores.AsSpan(from, length), present.AsSpan(from, length));
        }

        int[] expected =
        [
            .. Enumerable
                .Range(0, count)
                .Where(row => present[row] != 0)
                .OrderByDescending(row => scores[row])
                .ThenBy(row => row)
                .Take(most),
        ];
        Assert.Equal(expected.Order(), rows[..best.Count].Order());
        Assert.All(Enumerable.Range(0, best.Count), i => Assert.Equal(scores[rows[i]], kept[i]));
    }

    [Fact]
    public void Next_SkipsTheRowsThatCannotBeAmongTheBest()
    {
        Random random = new(3);
        float[] scores = [.. Enumerable.Range(0, 500).Select(_ => (float)random.Next(100))];
        BestRows best = new(new int[10], new float[10]);
        Assert.Equal((0, 7), (best.Next(scores, 0), best.Next(scores, 7))); // There is room for any.
        for (int row = 0; row < scores.Length; row++)
        {
            int least = (int)scores[..row].OrderDescending().ElementAtOrDefault(9);
            int next = best.Next(scores, row);
            Assert.Equal(row < 10 ? row : Enumerable.Range(row, scores.Length - row).FirstOrDefault(i => scores[i] > least, 500), next);
            best.OfferOne(row, scores[row]);
        }

        Assert.Equal(500, best.Next(scores, 500));
        Assert.Equal(500, best.Next([.. scores.Select(static _ => float.NaN)], 0));
    }

    [Fact]
    public void Offer_NaN_IsNeverKept()
    {
        BestRows best = new(new int[3], new float[3]);
        best.Offer(0, [float.NaN, 1, float.NaN, 2, 3, float.NaN, 4], [1, 1, 1, 1, 1, 1, 1]);

        Assert.Equal(3, best.Count);
        Assert.Throws<ArgumentException>(() => new BestRows(new int[2], new float[3]));
    }
}
