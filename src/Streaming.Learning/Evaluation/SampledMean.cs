namespace Streaming.Learning.Evaluation;

/// <summary>
/// The mean of a measure over examples of which a random share was ranked, and its standard error. An example counts as many
/// examples as it was drawn for: 1 ÷ its probability of being drawn (Hájek's estimator of a mean).
/// </summary>
/// <remarks>
/// Examples of a batch are drawn together and ranked by the same model, so the error is taken between batches, not between examples
/// (the ultimate-cluster estimate: Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, section 4.6):
/// √(n ÷ (n − 1) · Σ (Aᵦ − mean · Wᵦ)²) ÷ ΣW over n batches with sums of values Aᵦ and of weights Wᵦ.
/// </remarks>
internal struct SampledMean
{
    private double _sum;
    private double _weight;
    private double _sumSquares;
    private double _products;
    private double _weightSquares;
    private double _openSum;
    private double _openWeight;
    private long _clusters;
    private long _cluster;

    /// <summary>Gets the mean; 0 without examples.</summary>
    public readonly double Mean => _weight == 0 ? 0 : _sum / _weight;

    /// <summary>Gets the standard error of <see cref="Mean"/>; NaN with fewer than two batches, because one has no spread.</summary>
    public readonly double Error
    {
        get
        {
            SampledMean closed = this;
            closed.Close();
            double mean = Mean;
            double squares = closed._sumSquares - (2 * mean * closed._products) + (mean * mean * closed._weightSquares);
            double batches = closed._clusters;
            return batches < 2 ? double.NaN : Math.Sqrt(Math.Max(squares, 0) * batches / (batches - 1)) / _weight;
        }
    }

    /// <summary>Adds an example.</summary>
    /// <param name="value">The measure.</param>
    /// <param name="weight">Examples it stands for, above 0.</param>
    /// <param name="cluster">Its batch; examples of a batch come one after another. Negative: a batch of its own.</param>
    public void Add(double value, double weight, long cluster)
    {
        if (_openWeight > 0 && (cluster < 0 || cluster != _cluster))
        {
            Close();
        }

        _cluster = cluster;
        _openSum += value * weight;
        _openWeight += weight;
        _sum += value * weight;
        _weight += weight;
    }

    /// <summary>Writes the state.</summary>
    public readonly void Write(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[_sum, _weight, _sumSquares, _products, _weightSquares, _openSum, _openWeight])
        {
            writer.Write(value);
        }

        writer.Write(_clusters);
        writer.Write(_cluster);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static SampledMean Read(BinaryReader reader) =>
        new()
        {
            _sum = reader.ReadDouble(),
            _weight = reader.ReadDouble(),
            _sumSquares = reader.ReadDouble(),
            _products = reader.ReadDouble(),
            _weightSquares = reader.ReadDouble(),
            _openSum = reader.ReadDouble(),
            _openWeight = reader.ReadDouble(),
            _clusters = reader.ReadInt64(),
            _cluster = reader.ReadInt64(),
        };

    /// <summary>The state of a plain sum of measures within 0 … 1, of an earlier version. Their squares were not kept: they are taken as
    /// large as they can be, so the error is rather too large.</summary>
    public static SampledMean OfPlain(double sum, long count) =>
        new()
        {
            _sum = sum,
            _weight = count,
            _sumSquares = sum,
            _products = sum,
            _weightSquares = count,
            _clusters = count,
        };

    private void Close()
    {
        if (_openWeight == 0)
        {
            return;
        }

        _sumSquares += _openSum * _openSum;
        _products += _openSum * _openWeight;
        _weightSquares += _openWeight * _openWeight;
        _clusters++;
        (_openSum, _openWeight) = (0, 0);
    }
}
