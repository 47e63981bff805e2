using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Streaming.Worker.Metrics;

/// <summary>One metric of the text format: its type, help and series. The caller holds the lock.</summary>
internal sealed class MetricFamily
{
    private readonly string _name;
    private readonly string _help;
    private readonly bool _accumulates;
    private readonly bool _isObserved;
    private readonly double[]? _bounds;
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    /// <summary>Creates a family without series.</summary>
    public MetricFamily(string name, Instrument instrument)
    {
        _name = name;
        _help = instrument.Description ?? string.Empty;
        _isObserved = instrument.IsObservable;
        Type type = instrument.GetType().GetGenericTypeDefinition();
        _accumulates = type == typeof(Counter<>) || type == typeof(UpDownCounter<>);
        _bounds = instrument is Histogram<double> histogram
            ? [.. histogram.Advice?.HistogramBucketBoundaries ?? [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]]
            : null;
        Kind =
            _bounds is not null ? "histogram"
            : PrometheusExposition.IsCounter(instrument) ? "counter"
            : "gauge";
    }

    private string Kind { get; }

    /// <summary>Takes a measurement: adds it, counts it into its bucket or replaces the value, as the instrument says.</summary>
    public void Record(double value, string labels)
    {
        if (!_series.TryGetValue(labels, out Series? series))
        {
            if (_series.Count == PrometheusExposition.MostSeries)
            {
                return;
            }

            series = new Series { Buckets = new long[(_bounds?.Length ?? 0) + 1] };
            _series.Add(labels, series);
        }

        if (_bounds is not null)
        {
            int bucket = Array.BinarySearch(_bounds, value);
            series.Buckets[bucket < 0 ? ~bucket : bucket]++;
        }

        series.Value = _accumulates || _bounds is not null ? series.Value + value : value;
    }

    /// <summary>Forgets the series of an instrument that gives them all whenever it is asked.</summary>
    public void ForgetObserved()
    {
        if (_isObserved)
        {
            _series.Clear();
        }
    }

    /// <summary>Writes the family.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="shared">Labels that every series has besides its own.</param>
    public void Write(StringBuilder text, string shared)
    {
        if (_series.Count == 0)
        {
            return;
        }

        text.Append("# HELP ")
            .Append(_name)
            .Append(' ')
            .Append(_help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal))
            .Append('\n')
            .Append("# TYPE ")
            .Append(_name)
            .Append(' ')
            .Append(Kind)
            .Append('\n');
        foreach ((string own, Series series) in _series)
        {
            string labels = own.Length == 0 ? shared : $"{own},{shared}";
            if (_bounds is null)
            {
                Sample(text, string.Empty, labels, series.Value);
            }
            else
            {
                WriteHistogram(text, labels, series);
            }
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        long sum = 0;
        for (int bucket = 0; bucket < series.Buckets.Length; bucket++)
        {
            sum += series.Buckets[bucket];
            string bound = bucket == _bounds!.Length ? "+Inf" : _bounds[bucket].ToString(CultureInfo.InvariantCulture);
            Sample(text, "_bucket", $"{labels},le=\"{bound}\"", sum);
        }

        Sample(text, "_sum", labels, series.Value);
        Sample(text, "_count", labels, sum);
    }

    private void Sample(StringBuilder text, string suffix, string labels, double value)
    {
        text.Append(_name).Append(suffix).Append('{').Append(labels).Append('}');
        string number =
            double.IsNaN(value) ? "NaN"
            : double.IsPositiveInfinity(value) ? "+Inf"
            : double.IsNegativeInfinity(value) ? "-Inf"
            : value.ToString("R", CultureInfo.InvariantCulture);
        text.Append(' ').Append(number).Append('\n');
    }

    private sealed class Series
    {
        public double Value { get; set; }

        public required long[] Buckets { get; init; }
    }
}
