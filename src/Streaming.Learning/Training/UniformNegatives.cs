namespace Streaming.Learning;

/// <summary>
/// Uniformly drawn negatives and what they do to the sampling probabilities: for mixed negative sampling (Yang et al.
/// 2020) every candidate's q is that of the mixture of the batch and the uniform draws, by their counts.
/// </summary>
internal sealed class UniformNegatives(ItemTable items, LossKind loss, int count, ulong seed)
{
    private readonly int[] _rows = loss is LossKind.Mns or LossKind.Uniform ? new int[count] : [];
    private readonly float[] _logQ = loss is LossKind.Mns or LossKind.Uniform ? new float[count] : [];

    /// <summary>Gets the negatives' rows; none for losses that do not use them.</summary>
    public ReadOnlySpan<int> Rows => _rows;

    /// <summary>Gets ln q of each.</summary>
    public ReadOnlySpan<float> LogQ => _logQ;

    /// <summary>Draws the negatives of a step and sets ln q of all candidates.</summary>
    /// <param name="step">Number of the step: the draw is a function of it.</param>
    /// <param name="frequency">Frequencies of the items in the stream.</param>
    /// <param name="batchLogQ">In: ln q of the batch's positives as drawn from the stream. Out: of the mixture.</param>
    public void Draw(long step, FrequencyEstimator frequency, Span<float> batchLogQ)
    {
        ReadOnlySpan<int> rows = items.Rows;
        if (_rows.Length == 0 || rows.Length == 0)
        {
            // Before the first item there is only the fallback row.
            _rows.AsSpan().Clear();
            return;
        }

        double uniform = 1.0 / rows.Length;
        double batchShare = loss == LossKind.Uniform ? 0 : (double)batchLogQ.Length / (batchLogQ.Length + _rows.Length);
        for (int i = 0; i < _rows.Length; i++)
        {
            int row = rows[KeyMix.Reduce(KeyMix.Mix(seed ^ (ulong)step, (ulong)i), rows.Length)];
            _rows[i] = row;
            double q = batchShare == 0 ? 0 : frequency.Probability(items.KeyOf(row));
            _logQ[i] = (float)Math.Log((batchShare * q) + ((1 - batchShare) * uniform));
        }

        foreach (ref float logQ in batchLogQ)
        {
            logQ = (float)Math.Log((batchShare * Math.Exp(logQ)) + ((1 - batchShare) * uniform));
        }
    }
}
