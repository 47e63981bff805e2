using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Linear;

/// <summary>
/// Matrix products over row-major float32 matrices with leading dimensions, so a slice of a matrix is a matrix: the blocks of
/// a nested (block-triangular) linear layer run as slices. The three forms are a linear layer's forward pass, weight gradient
/// and input gradient.
/// </summary>
public static class Gemm
{
    /// <summary>C = A·B, or C += A·B.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="a">A [m × k].</param>
    /// <param name="lda">Distance between rows of A, k and up.</param>
    /// <param name="b">B [k × n].</param>
    /// <param name="ldb">Distance between rows of B, n and up.</param>
    /// <param name="c">C [m × n].</param>
    /// <param name="ldc">Distance between rows of C, n and up.</param>
    /// <param name="accumulate">Whether the product is added to C; otherwise C is overwritten.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread. The result is bitwise identical.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape.</exception>
    public static void Multiply(
        int m,
        int n,
        int k,
        ReadOnlySpan<float> a,
        int lda,
        ReadOnlySpan<float> b,
        int ldb,
        Span<float> c,
        int ldc,
        bool accumulate = false,
        Workers? workers = null
    ) => Run(m, n, k, new GemmOperand(a, lda, 1), new GemmOperand(b, ldb, 1), c, ldc, accumulate, workers);

    /// <summary>C = Aᵀ·B, or C += Aᵀ·B: a linear layer's weight gradient.</summary>
    /// <param name="m">Columns of A, rows of C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Rows of A and B.</param>
    /// <param name="a">A [k × m].</param>
    /// <param name="lda">Distance between rows of A, m and up.</param>
    /// <param name="b">B [k × n].</param>
    /// <param name="ldb">Distance between rows of B, n and up.</param>
    /// <param name="c">C [m × n].</param>
    /// <param name="ldc">Distance between rows of C, n and up.</param>
    /// <param name="accumulate">Whether the product is added to C; otherwise C is overwritten.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread. The result is bitwise identical.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape.</exception>
    public static void MultiplyTransposeA(
        int m,
        int n,
        int k,
        ReadOnlySpan<float> a,
        int lda,
        ReadOnlySpan<float> b,
        int ldb,
        Span<float> c,
        int ldc,
        bool accumulate = false,
        Workers? workers = null
    ) => Run(m, n, k, new GemmOperand(a, 1, lda), new GemmOperand(b, ldb, 1), c, ldc, accumulate, workers);

    /// <summary>C = A·Bᵀ, or C += A·Bᵀ: a linear layer's input gradient, or its forward pass when weights are stored [out × in].</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Rows of B, columns of C.</param>
    /// <param name="k">Columns of A and B.</param>
    /// <param name="a">A [m × k].</param>
    /// <param name="lda">Distance between rows of A, k and up.</param>
    /// <param name="b">B [n × k].</param>
    /// <param name="ldb">Distance between rows of B, k and up.</param>
    /// <param name="c">C [m × n].</param>
    /// <param name="ldc">Distance between rows of C, n and up.</param>
    /// <param name="accumulate">Whether the product is added to C; otherwise C is overwritten.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread. The result is bitwise identical.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape.</exception>
    public static void MultiplyTransposeB(
        int m,
        int n,
        int k,
        ReadOnlySpan<float> a,
        int lda,
        ReadOnlySpan<float> b,
        int ldb,
        Span<float> c,
        int ldc,
        bool accumulate = false,
        Workers? workers = null
    ) => Run(m, n, k, new GemmOperand(a, lda, 1), new GemmOperand(b, 1, ldb), c, ldc, accumulate, workers);

    private static void Run(int m, int n, int k, GemmOperand a, GemmOperand b, Span<float> c, int ldc, bool accumulate, Workers? workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        a.Check(m, k, nameof(a));
        b.Check(k, n, nameof(b));
        GemmOperand.Check(c.Length, m, n, ldc, 1, nameof(c));
        if (m == 0 || n == 0)
        {
            return;
        }

        GemmJob job = new()
        {
            A = a,
            B = b,
            C = c,
            M = m,
            N = n,
            K = k,
            LeadingC = ldc,
            Accumulate = accumulate,
        };
        if (Simd512.IsSupported)
        {
            GemmDriver<Simd512>.Run(ref job, workers);
        }
        else if (Simd256.IsSupported)
        {
            GemmDriver<Simd256>.Run(ref job, workers);
        }
        else if (Simd128.IsSupported)
        {
            GemmDriver<Simd128>.Run(ref job, workers);
        }
        else
        {
            GemmDriver<SimdScalar>.Run(ref job, workers);
        }
    }
}
