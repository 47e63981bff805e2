using Streaming.Models.State;

namespace Streaming.Learning.Evaluation;

/// <summary>Popularity with exponential forgetting: an event's weight halves every half-life of events.</summary>
/// <remarks>
/// Instead of decaying every count at every event, each event weighs more than the one before; when the weight approaches the
/// limit of float64, all counts are rescaled, once in about 900 half-lives.
/// </remarks>
public sealed class RecentPopularity : StreamingBaseline
{
    private const double LargestWeight = 1e270;
    private readonly double _growth;
    private double _weight = 1;
    private PagedArray<double> _counts = new(0);

    /// <summary>Creates a baseline without items.</summary>
    /// <param name="halfLife">Half-life in events, above 0. +∞: plain popularity.</param>
    public RecentPopularity(double halfLife = 5_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(halfLife);
        _growth = Math.Pow(2, 1 / halfLife);
    }

    /// <inheritdoc/>
    public override string Name => _growth > 1 ? "recent-popularity" : "popularity";

    /// <summary>Forgets an item whose row is given to another.</summary>
    /// <param name="item">Row of the item, which may never have been updated.</param>
    public void Forget(int item)
    {
        if (item < ItemCount)
        {
            _counts.Change(item) = 0;
        }
    }

    internal void Save(TensorSet tensors)
    {
        tensors.AddValue("popularity.weight", _weight);
        tensors.Share("popularity.counts", _counts, ItemCount);
    }

    internal void Load(TensorReader tensors, int maxItems)
    {
        _weight = tensors.ReadValue<double>("popularity.weight");
        double[] counts = tensors.ReadArray<double>("popularity.counts", maxItems);
        Resize(counts.Length);
        counts.CopyTo(_counts.Data);
    }

    /// <summary>Copies the counts of another item table.</summary>
    /// <param name="tensors">The state.</param>
    /// <param name="oldRows">The other row for each row; −1: none.</param>
    internal void Adopt(TensorReader tensors, int[] oldRows)
    {
        double[] counts = tensors.ReadArray<double>("popularity.counts", Array.MaxLength);
        _weight = tensors.ReadValue<double>("popularity.weight");
        Resize(oldRows.Length);
        for (int row = 0; row < oldRows.Length; row++)
        {
            _counts.Change(row) = oldRows[row] >= 0 && oldRows[row] < counts.Length ? counts[oldRows[row]] : 0;
        }
    }

    /// <inheritdoc/>
    protected internal override bool Knows(int item) => item < ItemCount && _counts[item] > 0;

    /// <inheritdoc/>
    protected internal override void Score(int user, ReadOnlySpan<int> history, Span<double> scores)
    {
        ReadOnlySpan<double> counts = _counts.Data[..scores.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = counts[i] > 0 ? counts[i] : double.NegativeInfinity;
        }
    }

    /// <inheritdoc/>
    protected internal override void Learn(int user, ReadOnlySpan<int> history, int item)
    {
        _weight *= _growth;
        _counts.Change(item) += _weight;
        if (_weight > LargestWeight)
        {
            ScaleBack();
        }
    }

    /// <inheritdoc/>
    protected internal override void GrowItems(int capacity)
    {
        // A snapshot of the old array stays valid: nothing writes to it any more.
        var counts = new PagedArray<double>(capacity);
        _counts.Data.CopyTo(counts.Data);
        _counts = counts;
    }

    private void ScaleBack()
    {
        _counts.Touch(0, ItemCount);
        foreach (ref double count in _counts.Data[..ItemCount])
        {
            // An item seen once stays known, however long ago that was.
            count = count > 0 ? Math.Max(count / _weight, double.Epsilon) : 0;
        }

        _weight = 1;
    }
}
