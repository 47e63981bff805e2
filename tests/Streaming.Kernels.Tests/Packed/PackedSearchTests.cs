using Streaming.Kernels.Packed;
using Xunit;

namespace Streaming.Kernels.Tests.Packed;

public class PackedSearchTests
{
    private const int Capacity = 70;

    public static TheoryData<RowElement, int, int> Cases()
    {
        TheoryData<RowElement, int, int> cases = [];
        foreach (RowElement element in Enum.GetValues<RowElement>())
        {
            foreach ((int dimension, int width) in new[] { (128, 128), (128, 16), (128, 40), (50, 50), (50, 7), (16, 1), (5, 5) })
            {
                cases.Add(element, dimension, width);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Dots_EveryWidthAndElement_AreThoseOfTheStoredNumbers(RowElement element, int dimension, int width)
    {
        (PackedRows rows, float[] scales, float[][] stored) = Fill(element, dimension, magnitude: 1);
        float[] query = RandomFloats.Normal(width, 3),
            prepared = new float[PackedRows.Padded(width)];
        float factor = PackedQuery.Prepare(query, element, prepared);
        foreach ((int first, int count) in new[] { (0, Capacity), (3, 8), (61, 9), (5, 1), (7, 0) })
        {
            float[] dots = new float[count];
            PackedSearch.Dots(in rows, first, prepared, dots);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal(Dot(query, stored[first + i], width), dots[i] * factor * scales[first + i], 1e-5 * width);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void InverseNorms_EveryWidthAndElement_AreThoseOfTheStoredNumbers(RowElement element, int dimension, int width)
    {
        (PackedRows rows, float[] scales, float[][] stored) = Fill(element, dimension, magnitude: 1);
        float[] norms = new float[Capacity - 2];
        PackedSearch.InverseNorms(in rows, 2, width, norms);
        for (int i = 0; i < norms.Length; i++)
        {
            Assert.Equal(1, norms[i] / scales[i + 2] * Math.Sqrt(Dot(stored[i + 2], stored[i + 2], width)), 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Dots_SomeRows_AreToTheBitThoseOfAll(RowElement element, int dimension, int width)
    {
        (PackedRows rows, _, _) = Fill(element, dimension, magnitude: 1);
        float[] prepared = new float[PackedRows.Padded(width)],
            all = new float[Capacity];
        PackedQuery.Prepare(RandomFloats.Normal(width, 3), element, prepared);
        PackedSearch.Dots(in rows, 0, prepared, all);
        int[] which = [0, 1, 5, 6, 7, 30, 69];
        float[] dots = new float[which.Length];
        PackedSearch.Dots(in rows, which, prepared, dots);

        Assert.Equal(which.Select(row => all[row]), dots);
        PackedSearch.Dots(in rows, [], prepared, []);
    }

    [Fact]
    public void Dots_RowsThatAreNotThere_AreRefused()
    {
        (PackedRows rows, _, _) = Fill(RowElement.Float16, 16, magnitude: 1);
        float[] two = new float[2];
        foreach (int[] which in new int[][] { [0, Capacity], [-1, 0], [3] })
        {
            try
            {
                PackedSearch.Dots(in rows, which, new float[16], two);
                Assert.Fail($"{string.Join(',', which)} was taken.");
            }
            catch (ArgumentException exception)
            {
                Assert.Contains("allowed: as many, of these rows", exception.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Dots_OneRowAlone_IsToTheBitWhatItIsAmongOthers()
    {
        foreach (RowElement element in Enum.GetValues<RowElement>())
        {
            (PackedRows rows, _, _) = Fill(element, 128, magnitude: 1);
            float[] prepared = new float[128],
                all = new float[Capacity],
                one = new float[1];
            PackedQuery.Prepare(RandomFloats.Normal(128, 3), element, prepared);
            PackedSearch.Dots(in rows, 0, prepared, all);
            for (int row = 0; row < Capacity; row++)
            {
                PackedSearch.Dots(in rows, row, prepared, one);
                Assert.Equal(all[row], one[0]);
            }
        }
    }

    [Fact]
    public void Dots_EveryFiniteHalf_IsThatHalf()
    {
        Half[] halves = [.. Enumerable.Range(0, 0x10000).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).Where(Half.IsFinite)];
        PackedRows rows = Rows(RowElement.Float16, halves.Length, 1);
        for (int i = 0; i < halves.Length; i++)
        {
            rows.Write(i, [(float)halves[i]]);
        }

        float[] prepared = new float[16],
            dots = new float[halves.Length];
        Assert.Equal(1, PackedQuery.Prepare([1f], RowElement.Float16, prepared));
        PackedSearch.Dots(in rows, 0, prepared, dots);

        Assert.Equal(halves.Select(half => (float)half), dots);
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(1e30f)]
    [InlineData(3e38f)]
    public void Dots_TinyAndHugeQueries_LoseNothing(float magnitude)
    {
        foreach (RowElement element in Enum.GetValues<RowElement>())
        {
            (PackedRows rows, float[] scales, float[][] stored) = Fill(element, 16, magnitude: 0.01f);
            float[] query = [magnitude, -magnitude / 2, magnitude / 4],
                prepared = new float[16],
                dots = new float[Capacity];
            float factor = PackedQuery.Prepare(query, element, prepared);
            PackedSearch.Dots(in rows, 0, prepared, dots);
            for (int row = 0; row < Capacity; row++)
            {
                Assert.Equal(Dot(query, stored[row], 3) / magnitude, (double)dots[row] * factor / magnitude * scales[row], 1e-7);
            }
        }
    }

    [Fact]
    public void Write_ThenRead_RoundsToTheElement()
    {
        float[] vector = [0.1f, -0.25f, 1.27f, 0];
        foreach (
            (RowElement element, float[] expected) in new[]
            {
                (RowElement.Float32, vector),
                (RowElement.Float16, [(float)(Half)0.1f, -0.25f, (float)(Half)1.27f, 0]),
                (RowElement.Int8, [0.1f, -0.25f, 1.27f, 0]),
            }
        )
        {
            PackedRows rows = Rows(element, 2, 4);
            float[] read = new float[4];
            float scale = rows.Write(1, vector);
            rows.Read(1, scale, read);
            Assert.All(expected.Zip(read), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            rows.Write(1, new float[4]);
            rows.Read(1, 1, read);
            Assert.Equal(new float[4], read);
        }
    }

    [Fact]
    public void Arguments_ThatDoNotFit_AreRefused()
    {
        float[] prepared = new float[16];
        Assert.Throws<ArgumentException>(() => PackedQuery.Prepare([float.NaN], RowElement.Float16, prepared));
        Assert.Throws<ArgumentException>(() => PackedQuery.Prepare([float.PositiveInfinity], RowElement.Float32, prepared));
        Assert.Throws<ArgumentException>(() => PackedQuery.Prepare(new float[17], RowElement.Float32, prepared));
        Assert.Throws<ArgumentException>(() => PackedSearch.Dots(Rows(RowElement.Float16, 4, 16), 0, new float[32], new float[4]));
        Assert.Throws<ArgumentException>(() => PackedSearch.Dots(Rows(RowElement.Float16, 4, 16), 0, new float[15], new float[4]));
        Assert.Throws<ArgumentException>(() => PackedSearch.Dots(Rows(RowElement.Float16, 4, 16), 1, prepared, new float[4]));
    }

    private static PackedRows Rows(RowElement element, int capacity, int width) =>
        new()
        {
            Values = new byte[PackedRows.Bytes(element, capacity, width)],
            Element = element,
            Capacity = capacity,
        };

    private static FilledRows Fill(RowElement element, int dimension, float magnitude)
    {
        PackedRows rows = Rows(element, Capacity, dimension);
        float[] values = RandomFloats.Normal(Capacity * dimension, 5),
            scales = new float[Capacity];
        float[][] stored = new float[Capacity][];
        for (int row = 0; row < Capacity; row++)
        {
            scales[row] = rows.Write(row, [.. values.AsSpan(row * dimension, dimension).ToArray().Select(value => value * magnitude)]);
            stored[row] = new float[dimension];
            rows.Read(row, scales[row], stored[row]);
        }

        return new FilledRows
        {
            Rows = rows,
            Scales = scales,
            Stored = stored,
        };
    }

    private static double Dot(float[] a, float[] b, int width)
    {
        double sum = 0;
        for (int i = 0; i < width; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }

    private ref struct FilledRows
    {
        public PackedRows Rows;
        public float[] Scales;
        public float[][] Stored;

        public readonly void Deconstruct(out PackedRows rows, out float[] scales, out float[][] stored)
        {
            rows = Rows;
            scales = Scales;
            stored = Stored;
        }
    }
}
