namespace Streaming.Benchmarks;

/// <summary>Size of a nested softmax.</summary>
internal sealed record SoftmaxShape(string Name, int Rows, int Bank, int[] Widths)
{
    /// <summary>The three shapes of the comparison with PyTorch.</summary>
    public static SoftmaxShape[] Standard { get; } =
    [
        new("S0", 512, 8192, [8, 16, 32, 64, 128]),
        new("S1", 1024, 16384, [16, 32, 64, 128, 256]),
        new("S2", 256, 65536, [8, 16, 32, 64]),
    ];

    public int Candidates => Rows + Bank;

    public int Dimension => Widths[^1];

    /// <summary>
    /// Operations that any exact algorithm needs: scores, user gradients and candidate gradients of the batch at full
    /// width, each once (the two passes over the batch's scores counted as they are).
    /// </summary>
    public double LeastOperations => 2.0 * Rows * Candidates * Dimension * 2 + 2.0 * 2 * Rows * Rows * Dimension;

    /// <summary>Operations that the one-pass kernel does: user gradients once a width, since normalisers come last.</summary>
    public double KernelOperations => 2.0 * Rows * Candidates * (Dimension + Widths.Sum()) + 2.0 * 2 * Rows * Rows * Dimension;
}
