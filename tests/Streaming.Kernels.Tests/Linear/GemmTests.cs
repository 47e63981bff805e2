using Streaming.Kernels.Linear;
using Streaming.Kernels.Parallel;
using Xunit;

namespace Streaming.Kernels.Tests.Linear;

public class GemmTests
{
    private const double Tolerance = 2e-6;

    private delegate void Product(
        int m,
        int n,
        int k,
        ReadOnlySpan<float> a,
        int lda,
        ReadOnlySpan<float> b,
        int ldb,
        Span<float> c,
        int ldc,
        bool accumulate,
        Workers? workers
    );

    public static TheoryData<int, int, int> Shapes =>
        new()
        {
            { 1, 1, 1 },
            { 8, 32, 16 },
            { 7, 31, 5 },
            { 9, 33, 257 },
            { 64, 256, 256 },
            { 65, 257, 300 },
            { 130, 12, 20 },
            { 3, 300, 4 },
            { 200, 20, 1 },
            { 16, 16, 1000 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Multiply_AllForms_MatchFloat64(int m, int n, int k)
    {
        foreach (bool accumulate in new[] { false, true })
        {
            foreach (int extra in new[] { 0, 3 })
            {
                Check(Gemm.Multiply, m, n, k, transposeA: false, transposeB: false, accumulate, extra);
                Check(Gemm.MultiplyTransposeA, m, n, k, transposeA: true, transposeB: false, accumulate, extra);
                Check(Gemm.MultiplyTransposeB, m, n, k, transposeA: false, transposeB: true, accumulate, extra);
            }
        }
    }

    [Fact]
    public void Multiply_EveryLengthTo64_MatchesFloat64()
    {
        for (int length = 0; length <= 64; length++)
        {
            Check(Gemm.Multiply, 5, length, 9, false, false, false, 1);
            Check(Gemm.MultiplyTransposeA, length, 7, 6, true, false, true, 0);
            Check(Gemm.MultiplyTransposeB, 6, 5, length, false, true, false, 2);
        }
    }

    [Fact]
    public void Multiply_OneOrThreeThreads_GivesTheSameBits()
    {
        using Workers workers = new(3);
        foreach ((int m, int n, int k) in new[] { (300, 70, 300), (40, 200, 500), (13001, 40, 33) })
        {
            float[] a = RandomFloats.Normal(m * k, 1),
                b = RandomFloats.Normal(k * n, 2),
                one = new float[m * n],
                three = new float[m * n];
            foreach (Product product in new Product[] { Gemm.Multiply, TransposeA, TransposeB })
            {
                product(m, n, k, a, k, b, n, one, n, false, null);
                product(m, n, k, a, k, b, n, three, n, false, workers);
                Assert.Equal(one, three);
            }
        }

        static void TransposeA(
            int m,
            int n,
            int k,
            ReadOnlySpan<float> a,
            int lda,
            ReadOnlySpan<float> b,
            int ldb,
            Span<float> c,
            int ldc,
            bool accumulate,
            Workers? workers
        ) => Gemm.MultiplyTransposeA(m, n, k, a, m, b, ldb, c, ldc, accumulate, workers);

        static void TransposeB(
            int m,
            int n,
            int k,
            ReadOnlySpan<float> a,
            int lda,
            ReadOnlySpan<float> b,
            int ldb,
            Span<float> c,
            int ldc,
            bool accumulate,
            Workers? workers
        ) => Gemm.MultiplyTransposeB(m, n, k, a, lda, b, k, c, ldc, accumulate, workers);
    }

    [Fact]
    public void Multiply_SlicesOfABlockTriangularMatrix_EqualTheWholeProduct()
    {
        int[] widths = [8, 16, 32];
        int rows = 45;
        float[] weights = RandomFloats.Normal(32 * 32, 3),
            input = RandomFloats.Normal(rows * 32, 4),
            whole = new float[rows * 32],
            slices = new float[rows * 32];
        for (int k = 0, begin = 0; k < widths.Length; begin = widths[k++])
        {
            for (int i = widths[k]; i < 32; i++)
            {
                weights.AsSpan(i * 32 + begin, widths[k] - begin).Clear();
            }

            Gemm.Multiply(rows, widths[k] - begin, widths[k], input, 32, weights.AsSpan(begin), 32, slices.AsSpan(begin), 32);
        }

        Gemm.Multiply(rows, 32, 32, input, 32, weights, 32, whole, 32);
        Assert.Equal(whole, slices);
    }

    [Fact]
    public void Multiply_SteadyState_AllocatesNothing()
    {
        using Workers workers = new(2);
        float[] a = new float[200 * 200],
            b = new float[200 * 200],
            c = new float[200 * 200];
        void Run()
        {
            for (int i = 0; i < 10; i++)
            {
                Gemm.Multiply(200, 200, 200, a, 200, b, 200, c, 200, true, workers);
                Gemm.MultiplyTransposeA(200, 200, 200, a, 200, b, 200, c, 200, true, workers);
                Gemm.MultiplyTransposeB(200, 199, 200, a, 200, b, 200, c, 200, true, workers);
            }
        }

        Assert.Equal(0, Allocations.OfARun(Run));
    }

    [Fact]
    public void Multiply_SpanTooShort_IsNamed()
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() =>
            Gemm.Multiply(2, 3, 4, new float[7], 4, new float[12], 3, new float[6], 3)
        );
        Assert.Equal("a has 7 values; 2 × 4 with its leading dimension needs 8. (Parameter 'a')", thrown.Message);
        Assert.Throws<ArgumentException>(() => Gemm.Multiply(2, 3, 4, new float[8], 3, new float[12], 3, new float[6], 3));
        Assert.Throws<ArgumentException>(() => Gemm.MultiplyTransposeB(2, 3, 4, new float[8], 4, new float[11], 4, new float[6], 3));
        Assert.Throws<ArgumentException>(() => Gemm.MultiplyTransposeA(2, 3, 4, new float[8], 2, new float[12], 3, new float[5], 3));
    }

    private static void Check(Product product, int m, int n, int k, bool transposeA, bool transposeB, bool accumulate, int extra)
    {
        int lda = (transposeA ? m : k) + extra,
            ldb = (transposeB ? k : n) + extra,
            ldc = n + extra;
        float[] a = RandomFloats.Normal((transposeA ? k : m) * lda, m),
            b = RandomFloats.Normal((transposeB ? n : k) * ldb, n);
        float[] c = RandomFloats.Normal(m * ldc, k),
            before = [.. c];
        product(m, n, k, a, lda, b, ldb, c, ldc, accumulate, null);
        double[] expected = Array.ConvertAll(before, x => (double)x);
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = accumulate ? before[i * ldc + j] : 0;
                for (int l = 0; l < k; l++)
                {
                    sum += (double)(transposeA ? a[l * lda + i] : a[i * lda + l]) * (transposeB ? b[j * ldb + l] : b[l * ldb + j]);
                }

                expected[i * ldc + j] = sum;
            }
        }

        Closeness.AssertClose(expected, c, Tolerance, $"{m} × {n} × {k}");
        for (int i = 0; i < c.Length; i++)
        {
            Assert.True(i % ldc < n || c[i] == before[i], "written beyond the columns of C");
        }
    }
}
