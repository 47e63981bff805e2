using System.Numerics.Tensors;
using Streaming.Learning.Engine;

namespace Streaming.Learning.Bank;

/// <summary>
/// Staleness of the bank's entries by age: ‖e_bank − e_now‖² / ‖e_now‖², on a sample of strata whose bounds double from the
/// newest entries to the oldest.
/// </summary>
internal sealed class BankStaleness
{
    public const int Strata = 8;
    private const int SamplesPerStratum = 32;
    private readonly TrainingEngine _engine;
    private readonly int[] _entries = new int[SamplesPerStratum];
    private readonly int[] _rows = new int[SamplesPerStratum];
    private readonly long[] _steps = new long[SamplesPerStratum];
    private readonly float[] _stored;
    private readonly float[] _now;
    private readonly double[] _values = new double[Strata];

    public BankStaleness(TrainingEngine engine)
    {
        _engine = engine;
        _stored = new float[SamplesPerStratum * engine.Model.Dimension];
        _now = new float[_stored.Length];
        Array.Fill(_values, double.NaN);
    }

    /// <summary>Gets the staleness of each stratum, newest first; NaN where nothing could be measured.</summary>
    public Span<double> Values => _values;

    /// <summary>Measures all strata of the current bank.</summary>
    public void Measure()
    {
        for (int stratum = 0; stratum < Strata; stratum++)
        {
            int start = Bound(stratum, _engine.BankCount);
            _values[stratum] = Measure(start, Bound(stratum + 1, _engine.BankCount));
        }
    }

    /// <summary>How many of the newest entries are below a staleness, by linear interpolation between strata.</summary>
    /// <returns><see cref="int.MaxValue"/> when all are.</returns>
    public int EntriesBelow(double limit)
    {
        double previousCentre = 0;
        double previousValue = 0;
        for (int stratum = 0; stratum < Strata; stratum++)
        {
            double value = _values[stratum];
            if (double.IsNaN(value))
            {
                continue;
            }

            double centre = (Bound(stratum, _engine.BankCount) + Bound(stratum + 1, _engine.BankCount)) / 2.0;
            if (value > limit)
            {
                double share = previousValue >= limit ? 0 : (limit - previousValue) / (value - previousValue);
                return (int)(previousCentre + (share * (centre - previousCentre)));
            }

            previousCentre = centre;
            previousValue = value;
        }

        return int.MaxValue;
    }

    /// <summary>First entry of a stratum: 0, n/128, n/64, …, n/2, n.</summary>
    private static int Bound(int stratum, int count) => stratum == 0 ? 0 : count >> (Strata - stratum);

    private double Measure(int start, int end)
    {
        int samples = Math.Min(SamplesPerStratum, end - start);
        for (int i = 0; i < samples; i++)
        {
            _entries[i] = start + (int)((long)i * (end - start) / samples);
        }

        int dimension = _engine.Model.Dimension;
        _engine.ReadBank(
            _entries.AsSpan(0, samples),
            _rows.AsSpan(0, samples),
            _steps.AsSpan(0, samples),
            _stored.AsSpan(0, samples * dimension)
        );
        samples = DropForgotten(samples, dimension);
        _engine.EncodeItems(_rows.AsSpan(0, samples), _now.AsSpan(0, samples * dimension));
        ReadOnlySpan<float> now = _now.AsSpan(0, samples * dimension);
        ReadOnlySpan<float> stored = _stored.AsSpan(0, samples * dimension);
        double norm = samples == 0 ? 0 : TensorPrimitives.SumOfSquares(now);
        double distance = samples == 0 ? 0 : TensorPrimitives.Distance(now, stored);
        return norm > 0 ? distance * distance / norm : double.NaN;
    }

    /// <summary>Drops entries whose row belongs to another item: they have no current embedding.</summary>
    private int DropForgotten(int samples, int dimension)
    {
        int kept = 0;
        for (int i = 0; i < samples; i++)
        {
            if (_rows[i] >= 0)
            {
                _rows[kept] = _rows[i];
                _stored.AsSpan(i * dimension, dimension).CopyTo(_stored.AsSpan(kept * dimension));
                kept++;
            }
        }

        return kept;
    }
}
