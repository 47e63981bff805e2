using Streaming.Learning.Frequency;
using Streaming.Learning.Items;
using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>
/// Negatives in addition to the batch and the bank, by loss: uniformly drawn ones (uniform, mns), or the whole catalogue (full).
/// For mixed negative sampling (Yang et al. 2020) every candidate's q is that of the mixture of the batch and the uniform draws,
/// in proportion to their counts.
/// </summary>
internal sealed class StepNegatives(ItemTable items, LossKind loss, int draws, ulong seed)
{
    private int[] _rows = loss is LossKind.Mns or LossKind.Uniform ? new int[draws] : [];
    private float[] _logQ = loss is LossKind.Mns or LossKind.Uniform ? new float[draws] : [];
    private int _count;

    /// <summary>Gets the negatives' rows.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, _count);

    /// <summary>Gets ln q of each.</summary>
    public ReadOnlySpan<float> LogQ => _logQ.AsSpan(0, _count);

    /// <summary>Chooses the negatives of a step and sets ln q of all candidates.</summary>
    /// <param name="step">Number of the step, which determines the draw.</param>
    /// <param name="frequency">Frequencies of the items in the stream.</param>
    /// <param name="buffers">The batch. In: ln q of the positives as drawn from the stream. Out: of the mixture.</param>
    public void Choose(long step, FrequencyEstimator frequency, StepBuffers buffers)
    {
        switch (loss)
        {
            case LossKind.Mns or LossKind.Uniform:
                Draw(step, frequency, buffers.LogQ);
                break;
            case LossKind.Full:
                TakeCatalogue(buffers.Positives);
                break;
            default:
                _count = 0;
                break;
        }
    }

    private void Draw(long step, FrequencyEstimator frequency, Span<float> batchLogQ)
    {
        // Before the first item there are only fallback rows, and no negatives.
        ReadOnlySpan<int> rows = items.Rows;
        _count = rows.Length == 0 ? 0 : _rows.Length;
        double uniform = 1.0 / Math.Max(rows.Length, 1);
        double batchShare = loss == LossKind.Uniform ? 0 : (double)batchLogQ.Length / (batchLogQ.Length + _count);
        for (int i = 0; i < _count; i++)
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

    /// <summary>Every item once, and those fallback rows that are a positive of the batch.</summary>
    private void TakeCatalogue(ReadOnlySpan<int> positives)
    {
        int most = items.Count + items.FallbackRows;
        if (_rows.Length < most)
        {
            _rows = new int[Math.Min(items.Capacity, most * 2)];
            _logQ = new float[_rows.Length];
        }

        items.Rows.CopyTo(_rows);
        _count = items.Count;
        foreach (int row in positives)
        {
            if (!items.IsLive(row) && !_rows.AsSpan(items.Count, _count - items.Count).Contains(row))
            {
                _rows[_count++] = row;
            }
        }
    }
}
