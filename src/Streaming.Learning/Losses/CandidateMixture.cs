using System.Numerics.Tensors;

namespace Streaming.Learning.Losses;

/// <summary>
/// The law by which a step's candidates were drawn: B positives of the batch and M bank entries from the stream, U uniformly from the
/// N known items. An item's q is its expected number of occurrences among all candidates, over their number:
/// q = (B · p + M · p + U / N) / (B + M + U), whichever way this occurrence came in.
/// </summary>
/// <remarks>
/// With a weight of 1 / (n · q) per occurrence, the sum of e^s over the candidates is an unbiased estimate of the sum over the
/// catalogue (Hansen and Hurwitz 1943; for the distinct bank Horvitz and Thompson 1952). Weighting each draw by the whole mixture
/// instead of by its own source is the balance heuristic (Veach and Guibas, SIGGRAPH 1995): no combination has a much lower
/// variance, and a rare item that the uniform draws cover has no large weight when the batch happens to contain it. Mixed negative
/// sampling (Yang et al., WWW 2020) is this with M = 0. A bank entry counts as a draw with the p stored with it (CBNS).
/// <para>A bank of distinct items contains an item if it was drawn in the window of the last T draws, whose oldest entry is the
/// oldest in use: M · p becomes 1 − e^(−p · T) (Che, Tung and Wang 2002, for caches that replace the least recently used).</para>
/// </remarks>
/// <param name="Batch">Positives, B, 1 and up.</param>
/// <param name="Bank">Bank entries, M.</param>
/// <param name="Uniform">Uniform draws, U.</param>
/// <param name="Items">Items they were drawn from, N; 0: these draws do not count.</param>
/// <param name="Window">T, for a bank of distinct items. 0: the bank's entries are draws.</param>
public readonly record struct CandidateMixture(int Batch, int Bank, int Uniform, int Items, long Window)
{
    // Below, the quadratic expansion of 1 − e^(−x) is exact in float; above, the difference is.
    private const float Small = 0.01f;

    /// <summary>Gets whether q differs from p.</summary>
    public bool Mixes => IsDrawn || IsDistinct;

    /// <summary>Gets whether the bank's entries are distinct items.</summary>
    public bool IsDistinct => Window > 0 && Bank > 0;

    /// <summary>Gets the factor of p in q.</summary>
    public float DrawShare => (float)((Batch + (IsDistinct ? 0.0 : Bank)) / Candidates);

    /// <summary>Gets the factor in q of the probability to be in a bank of distinct items.</summary>
    public float BankShare => (float)(1 / Candidates);

    /// <summary>Gets the part of q that does not depend on the item.</summary>
    public float UniformPart => IsDrawn ? (float)(Uniform / (Candidates * Items)) : 0;

    private bool IsDrawn => Uniform > 0 && Items > 0;

    private double Candidates => (double)Batch + Bank + Uniform;

    /// <summary>Computes ln q.</summary>
    /// <param name="logP">[n] ln p of each candidate.</param>
    /// <param name="logQ">Out: [n].</param>
    public void Mix(ReadOnlySpan<float> logP, Span<float> logQ)
    {
        logQ = logQ[..logP.Length];
        TensorPrimitives.Exp(logP, logQ);
        if (IsDistinct)
        {
            MixDistinct(logQ);
        }
        else
        {
            TensorPrimitives.Multiply(logQ, DrawShare, logQ);
        }

        TensorPrimitives.Add(logQ, UniformPart, logQ);
        TensorPrimitives.Log(logQ, logQ);
    }

    private void MixDistinct(Span<float> values)
    {
        float draws = DrawShare,
            bank = BankShare;
        foreach (ref float p in values)
        {
            float x = p * Window;
            float present = x < Small ? x - (x * x * (0.5f - (x / 6))) : 1 - MathF.Exp(-x);
            p = (p * draws) + (present * bank);
        }
    }
}
