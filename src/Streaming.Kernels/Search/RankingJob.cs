namespace Streaming.Kernels.Search;

/// <summary>State shared by the panels of one ranking.</summary>
internal ref struct RankingJob
{
    public NestedRankingProblem Problem;
    public ReadOnlySpan<int> Widths;
    public RankingScratch[] Scratch;
    public int Items;

    /// <summary>1/|prefix| of each item [K × N]; empty without <see cref="NestedRankingProblem.Cosine"/>.</summary>
    public Span<float> Scales;

    /// <summary>Gets D.</summary>
    public readonly int Dimension => Widths[^1];
}
