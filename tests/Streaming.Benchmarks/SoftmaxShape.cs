namespace Streaming.Benchmarks;

/// <summary>Size of a nested softmax.</summary>
internal sealed record SoftmaxShape(string Name, int Rows, int Bank, int[] Widths)
{
    /// <summary>The three shapes of the comparison with PyTorch.</summary>
    public static SoftmaxShape[] Standard { get; } =
    [new("S0", 512, 8192, [8, 16, 32, 64, 128]), new("S1", 1024, 16384, [16, 32, 64, 128, 256]), new("S2", 256, 65536, [8, 16, 32, 64])];

    public int Candidates => Rows + Bank;

    public int Dimension => Widths[^1];
}
