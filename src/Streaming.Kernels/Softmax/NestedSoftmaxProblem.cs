namespace Streaming.Kernels.Softmax;

/// <summary>How the sampling probability enters the loss.</summary>
public enum LogQCorrection
{
    /// <summary>No correction: s' = s.</summary>
    None,

    /// <summary>s' = s − ln q on the positive and the negatives alike (Yi et al. 2019; CBNS eq. 4).</summary>
    Classic,

    /// <summary>The form of RecSys 2025 (arXiv 2507.09331): the positive is not corrected and not in the sum, and the
    /// row is weighted by the probability of a mistake, with stopped gradient.</summary>
    Corrected,
}

/// <summary>
/// One nested sampled softmax: B rows against N candidates at K widths, forward and backward. Row i's positive is
/// candidate <c>PositiveColumn[i]</c>. Candidates 0 … <see cref="GradientCandidates"/> − 1 receive a gradient (the
/// batch), the rest (the memory bank) do not.
/// </summary>
/// <remarks>
/// s_w(i, j) = ⟨U[i, :w], C[j, :w]⟩ / τ, or the same on prefixes normalised per width when <see cref="Cosine"/>.
/// Loss of a width: L_w = Σ_i weight_i · ℓ_w(i) / <see cref="TotalWeight"/>. Total: Σ_k c_k L_k / Σ_k c_k; gradients are of the total.
/// </remarks>
public ref struct NestedSoftmaxProblem
{
    /// <summary>User vectors [B × D], row-major.</summary>
    public ReadOnlySpan<float> Users;

    /// <summary>Candidate vectors [N × D]: the batch's first, then the bank's.</summary>
    public ReadOnlySpan<float> Candidates;

    /// <summary>Item of each candidate [N]: a candidate with the id of a row's positive is not a negative of that row
    /// (except its own positive column). Empty: mask by column only.</summary>
    public ReadOnlySpan<int> CandidateIds;

    /// <summary>ln q of each candidate [N]. Ignored with <see cref="LogQCorrection.None"/>.</summary>
    public ReadOnlySpan<float> LogQ;

    /// <summary>Column of each row's positive [B], each below <see cref="GradientCandidates"/>.</summary>
    public ReadOnlySpan<int> PositiveColumn;

    /// <summary>Weight of each row [B], 0 or above.</summary>
    public ReadOnlySpan<float> RowWeights;

    /// <summary>Sum of the weights of the whole batch, if the rows are a share of it; losses and gradients are then this share's part
    /// of the batch's. 0: the sum of <see cref="RowWeights"/>.</summary>
    public double TotalWeight;

    /// <summary>Weight c_k of each width [K], 0 or above, not all 0.</summary>
    public ReadOnlySpan<float> WidthWeights;

    /// <summary>Number of leading candidates that receive a gradient, G.</summary>
    public int GradientCandidates;

    /// <summary>τ, above 0.</summary>
    public float Temperature;

    /// <summary>Whether prefixes are normalised per width.</summary>
    public bool Cosine;

    /// <summary>How q enters.</summary>
    public LogQCorrection Correction;

    /// <summary>Out: gradient of the total with respect to the user vectors [B × D], overwritten.</summary>
    public Span<float> UserGradients;

    /// <summary>Out: gradient of the total with respect to the first G candidates [G × D], overwritten.</summary>
    public Span<float> CandidateGradients;

    /// <summary>Out: loss of each width [K].</summary>
    public Span<double> Losses;
}
