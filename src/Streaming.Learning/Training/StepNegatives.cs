using Streaming.Learning.Frequency;
using Streaming.Learning.Items;
using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>
/// Negatives in addition to the batch and the bank, by loss: items drawn uniformly with replacement (uniform, mns, union), or the
/// whole catalogue (full).
/// </summary>
/// <remarks>A draw is a function of (seed, step, index): a resumed run repeats it without stored state.</remarks>
internal sealed class StepNegatives(ItemTable items, LossKind loss, int draws, ulong seed)
{
    private int[] _rows = loss.DrawsUniformly() ? new int[draws] : [];
    private readonly float[] _logQ = loss.MixesDraws() ? new float[draws] : [];
    private int _count;

    /// <summary>Gets the negatives' rows.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, _count);

    /// <summary>Gets ln p of each: of a draw from the stream. Empty for a loss without correction.</summary>
    public ReadOnlySpan<float> LogQ => _logQ.AsSpan(0, Math.Min(_count, _logQ.Length));

    /// <summary>Gets the number of items they were drawn from. 0: they were not drawn, or the loss has no correction.</summary>
    public int DrawnFrom { get; private set; }

    /// <summary>Chooses the negatives of a step.</summary>
    /// <param name="step">Number of the step, which determines the draw.</param>
    /// <param name="frequency">Frequencies of the items in the stream.</param>
    /// <param name="positives">Rows of the batch's positives.</param>
    public void Choose(long step, FrequencyEstimator frequency, ReadOnlySpan<int> positives)
    {
        if (loss.DrawsUniformly())
        {
            Draw(step, frequency);
        }
        else if (loss == LossKind.Full)
        {
            TakeCatalogue(positives);
        }
    }

    private void Draw(long step, FrequencyEstimator frequency)
    {
        // Before the first item there are only fallback rows, and no negatives.
        ReadOnlySpan<int> rows = items.Rows;
        _count = rows.Length == 0 ? 0 : _rows.Length;
        DrawnFrom = loss.MixesDraws() ? rows.Length : 0;
        for (int i = 0; i < _count; i++)
        {
            _rows[i] = rows[KeyMix.Reduce(KeyMix.Mix(seed ^ (ulong)step, (ulong)i), rows.Length)];
            if (_logQ.Length > 0)
            {
                _logQ[i] = frequency.LogProbability(items.KeyOf(_rows[i]));
            }
        }
    }

    /// <summary>Every item once, and those fallback rows that are a positive of the batch.</summary>
    private void TakeCatalogue(ReadOnlySpan<int> positives)
    {
        int most = items.Count + items.FallbackRows;
        if (_rows.Length < most)
        {
            _rows = new int[Math.Min(items.Capacity, most * 2)];
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
