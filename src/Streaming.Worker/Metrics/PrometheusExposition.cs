using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Streaming.Worker.Metrics;

/// <summary>
/// Listens to the program's meters and writes their state in Prometheus' text format (version 0.0.4), for scrapers that
/// do not speak OpenTelemetry.
/// </summary>
public sealed class PrometheusExposition : IDisposable
{
    /// <summary>Most series of one instrument: tags come from fixed sets, and this is what holds if one does not.</summary>
    public const int MostSeries = 500;

    private readonly string _model;
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly Lock _rendering = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    /// <summary>Starts to listen.</summary>
    /// <param name="model">The model's name, a label of every series: one Prometheus usually scrapes several models.</param>
    /// <param name="meterPrefixes">Meters whose names begin with one of these.</param>
    public PrometheusExposition(string model, params string[] meterPrefixes)
    {
        _model = Labels([new("model", model)]);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meterPrefixes.Any(prefix => instrument.Meter.Name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                listener.EnableMeasurementEvents(instrument, Family(instrument));
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => Record(value, tags, state));
        _listener.Start();
    }

    /// <summary>The state of all instruments, observable ones read now.</summary>
    public string Render()
    {
        // One at a time: each begins by forgetting what the one before has read.
        lock (_rendering)
        {
            Observe();
            var text = new StringBuilder();
            lock (_gate)
            {
                foreach (MetricFamily family in _families.Values)
                {
                    family.Write(text, _model);
                }
            }

            return text.ToString();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>The name of an instrument for Prometheus: dots become underscores, the unit is written out, counters end in _total, and
    /// nothing but a histogram's series in _count.</summary>
    internal static string NameOf(Instrument instrument)
    {
        string unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => string.Empty,
        };
        string name = instrument.Name.Replace('.', '_');
        bool counter = IsCounter(instrument);
        const string count = "_count";
        if (!counter && name.EndsWith(count, StringComparison.Ordinal))
        {
            name = name[..^count.Length] + "_number";
        }

        return name + (name.EndsWith(unit, StringComparison.Ordinal) ? string.Empty : unit) + (counter ? "_total" : string.Empty);
    }

    internal static bool IsCounter(Instrument instrument) =>
        instrument.GetType().GetGenericTypeDefinition() is var type && (type == typeof(Counter<>) || type == typeof(ObservableCounter<>));

    private void Observe()
    {
        lock (_gate)
        {
            // What is not observed any more, such as the lag of a partition that another worker reads, must not stay.
            foreach (MetricFamily family in _families.Values)
            {
                family.ForgetObserved();
            }
        }

        _listener.RecordObservableInstruments();
    }

    private MetricFamily Family(Instrument instrument)
    {
        lock (_gate)
        {
            string name = NameOf(instrument);
            if (!_families.TryGetValue(name, out MetricFamily? family))
            {
                family = new MetricFamily(name, instrument);
                _families.Add(name, family);
            }

            return family;
        }
    }

    private void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        string labels = Labels(tags);
        lock (_gate)
        {
            ((MetricFamily)state!).Record(value, labels);
        }
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return string.Empty;
        }

        var text = new StringBuilder();
        foreach ((string name, object? value) in tags)
        {
            text.Append(text.Length == 0 ? string.Empty : ",")
                .Append(name.Replace('.', '_'))
                .Append("=\"")
                .Append(
                    Convert
                        .ToString(value, CultureInfo.InvariantCulture)!
                        .Replace("\\", "\\\\", StringComparison.Ordinal)
                        .Replace("\"", "\\\"", StringComparison.Ordinal)
                        .Replace("\n", "\\n", StringComparison.Ordinal)
                )
                .Append('"');
        }

        return text.ToString();
    }
}
