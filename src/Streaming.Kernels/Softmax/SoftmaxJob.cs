namespace Streaming.Kernels.Softmax;

/// <summary>State shared by the panels of one call.</summary>
internal ref struct SoftmaxJob
{
    public const float Log2E = 1.44269504088896341f;
    public const double Ln2 = 0.69314718055994531;

    public NestedSoftmaxProblem Problem;
    public ReadOnlySpan<int> Widths;
    public SoftmaxScratch[] Scratch;
    public HitIndex Hits;

    /// <summary>First width whose exponentials are kept until normalisers are known; K: none.</summary>
    public int FirstKept;

    /// <summary>B.</summary>
    public int Rows;

    /// <summary>N.</summary>
    public int Candidates;

    /// <summary>1 / Σ row weights, or 0 when all are 0.</summary>
    public double RowShare;

    /// <summary>1 / Σ width weights.</summary>
    public double WidthShare;

    /// <summary>1/|prefix| of each user [K × B] and candidate [K × N]; empty without <see cref="NestedSoftmaxProblem.Cosine"/>.</summary>
    public Span<float> UserScales;

    /// <summary>1/|prefix| of each candidate [K × N].</summary>
    public Span<float> CandidateScales;

    /// <summary>Uncorrected score of each row's positive, in binary logarithms [K × B].</summary>
    public Span<float> PositiveScores;

    /// <summary>Gradient of the total with respect to a row's loss, over τ [K × B].</summary>
    public Span<float> RowCoefficients;

    /// <summary>Binary logarithm of each row's sum over its coefficient [K × B]: 2^(score − this) is probability times
    /// coefficient.</summary>
    public Span<float> RowNormalisers;

    /// <summary>Weighted loss of each panel of rows [panels × K].</summary>
    public Span<double> PanelLosses;

    /// <summary>Gets D.</summary>
    public readonly int Dimension => Widths[^1];

    /// <summary>Gets the factor that turns scores into binary logarithms.</summary>
    public readonly float LogScale => Log2E / Problem.Temperature;

    /// <summary>Gets whether the positive is excluded from the sum.</summary>
    public readonly bool MasksPositive => Problem.Correction == LogQCorrection.Corrected;

    /// <summary>−log₂ q of a candidate, or 0 without correction.</summary>
    public readonly float Bias(int candidate) => Problem.Correction == LogQCorrection.None ? 0f : -Log2E * Problem.LogQ[candidate];
}
