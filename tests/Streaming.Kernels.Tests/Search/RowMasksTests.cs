using Streaming.Kernels.Search;
using Xunit;

namespace Streaming.Kernels.Tests.Search;

public class RowMasksTests
{
    public static TheoryData<int> Lengths => [0, 1, 5, 31, 32, 33, 100, 4096];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AddEqual_OneToFourCodes_AddsTheRowsThatHaveOne(int rows)
    {
        Random random = new(rows);
        int[] codes = [.. Enumerable.Range(0, rows).Select(_ => random.Next(8))];
        foreach (int[] wanted in new int[][] { [3], [3, 5], [0, 3, 7], [1, 2, 3, 4], [70_000] })
        {
            byte[] mask = Some(random, rows),
                before = [.. mask];
            RowMasks.AddEqual(codes, wanted, mask);

            Assert.Equal(codes.Select((code, row) => before[row] != 0 || wanted.Contains(code)), mask.Select(static byt => byt != 0));
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AddAny_Table_AddsTheRowsThatHaveAWantedCode(int rows)
    {
        Random random = new(rows);
        int[] codes = [.. Enumerable.Range(0, rows).Select(_ => random.Next(8))];
        byte[] mask = Some(random, rows),
            before = [.. mask];
        RowMasks.AddAny(codes, [0, 255, 0, 255, 255], mask);

        Assert.Equal(codes.Select((code, row) => before[row] != 0 || code is 1 or 3 or 4), mask.Select(static byt => byt != 0));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AddWithin_Bounds_AddsTheRowsBetweenThemAndNoNaN(int rows)
    {
        Random random = new(rows);
        double[] numbers = [.. Enumerable.Range(0, rows).Select(_ => random.Next(6) is var n and > 0 ? n : double.NaN)];
        foreach (
            (double from, double to) in new[] { (2.0, 4.0), (3.0, 3.0), (double.NegativeInfinity, double.PositiveInfinity), (9.0, 10.0) }
        )
        {
            byte[] mask = Some(random, rows),
                before = [.. mask];
            RowMasks.AddWithin(numbers, from, to, mask);

            Assert.Equal(numbers.Select((x, row) => before[row] != 0 || (x >= from && x <= to)), mask.Select(static byt => byt != 0));
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void KeepAndDrop_OtherMask_AreItsIntersectionAndDifference(int rows)
    {
        Random random = new(rows);
        byte[] other = Some(random, rows),
            kept = [.. Enumerable.Repeat((byte)1, rows)],
            dropped = [.. kept];
        RowMasks.Keep(other, kept);
        RowMasks.Drop([.. other], dropped);

        Assert.Equal(other.Select(static byt => byt != 0), kept.Select(static byt => byt != 0));
        Assert.Equal(other.Select(static byt => byt == 0), dropped.Select(static byt => byt != 0));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Scale_Mask_RaisesItsRowsAlsoWhereTheScoreIsNegative(int rows)
    {
        Random random = new(rows);
        byte[] mask = Some(random, rows);
        float[] scores = [.. Enumerable.Range(0, rows).Select(_ => random.NextSingle() - 0.5f)],
            before = [.. scores];
        RowMasks.Scale(mask, 1.25f, scores);

        Assert.Equal(before.Select((score, row) => mask[row] != 0 ? RowMasks.Scaled(score, 1.25f) : score), scores);
        Assert.Equal((2.5f, -2f), (RowMasks.Scaled(2, 1.25f), RowMasks.Scaled(-2.5f, 1.25f)));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void ListFew_Mask_ListsItsRowsUnlessTheyAreMany(int rows)
    {
        byte[] mask = Some(new Random(rows), rows);
        int[] expected = [.. Enumerable.Range(0, rows).Where(row => mask[row] != 0)],
            list = new int[rows];

        Assert.Equal(expected.Length, RowMasks.ListFew(mask, expected.Length, list));
        Assert.Equal(expected, list[..expected.Length]);
        Assert.Equal(-1, RowMasks.ListFew(mask, expected.Length - 1, list));
    }

    [Fact]
    public void Masks_OfOtherLengths_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => RowMasks.AddEqual([1, 2], [1], new byte[3]));
        Assert.Throws<ArgumentException>(() => RowMasks.AddWithin([1, 2], 0, 1, new byte[3]));
        Assert.Throws<ArgumentException>(() => RowMasks.Keep(new byte[2], new byte[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMasks.AddEqual([1, 2], [], new byte[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMasks.AddEqual([1, 2], [1, 2, 3, 4, 5], new byte[2]));
    }

    private static byte[] Some(Random random, int rows) =>
        [.. Enumerable.Range(0, rows).Select(_ => random.Next(3) == 0 ? (byte)255 : (byte)0)];
}
