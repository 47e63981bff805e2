using System.Numerics.Tensors;

namespace Streaming.Learning.Losses;

/// <summary>
/// The law by which a step's candidates were drawn: some from the stream (the batch's positives and the bank), some uniformly from
/// the known items. An item's q is its expected number of occurrences among all candidates, over their number:
/// q = ((B + M) · p + U / N) / (B + M + U), whichever way this occurrence came in.
/// </summary>
/// <remarks>
/// With a weight of 1 / (n · q) per occurrence, the sum over the candidates of e^s is an unbiased estimate of the sum over the
/// catalogue (Hansen and Hurwitz 1943). Weighting each draw by the whole mixture instead of by its own source is the balance
/// heuristic (Veach and Guibas, SIGGRAPH 1995): no other combination has a much lower variance, and a rare item that the uniform
/// draws cover gets no large weight when the batch happens to contain it. Mixed negative sampling (Yang et al., WWW 2020) is this
/// with M = 0. A bank entry counts as a draw with the p stored with it (CBNS).
/// </remarks>
/// <param name="Stream">Draws from the stream, B + M, 1 and up.</param>
/// <param name="Uniform">Uniform draws, U.</param>
/// <param name="Items">Items they were drawn from, N; 0: p is the q of every candidate.</param>
public readonly record struct CandidateMixture(int Stream, int Uniform, int Items)
{
    /// <summary>Gets whether q differs from p.</summary>
    public bool Mixes => Uniform > 0 && Items > 0;

    /// <summary>Gets the factor of p in q.</summary>
    public float StreamShare => (float)((double)Stream / ((double)Stream + Uniform));

    /// <summary>Gets the part of q that does not depend on the item.</summary>
    public float UniformPart => (float)(Uniform / (((double)Stream + Uniform) * Items));

    /// <summary>Computes ln q.</summary>
    /// <param name="logP">[n] ln p of each candidate.</param>
    /// <param name="logQ">Out: [n].</param>
    public void Mix(ReadOnlySpan<float> logP, Span<float> logQ)
    {
        TensorPrimitives.Exp(logP, logQ);
        TensorPrimitives.Multiply(logQ, StreamShare, logQ);
        TensorPrimitives.Add(logQ, UniformPart, logQ);
        TensorPrimitives.Log(logQ, logQ);
    }
}
