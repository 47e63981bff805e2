using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>What /metrics answered, read: the value of each series, and which of them accumulate.</summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, string> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _counters = new(StringComparer.Ordinal);

    public Exposition(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            if (TypeLine().Match(line) is { Success: true } type)
            {
                _counters.UnionWith(type.Groups["type"].Value == "counter" ? [type.Groups["name"].Value] : []);
            }
            else if (Sample().Match(line) is { Success: true } sample)
            {
                string series = sample.Groups["name"].Value + sample.Groups["labels"].Value;
                Match model = ModelLabel().Match(series);
                Assert.True(model.Success, $"{line}: no label model");
                Model = model.Groups["model"].Value;
                _written.Add(ModelLabel().Replace(series, string.Empty).Replace("{,", "{").Replace("{}", string.Empty), series);
                _values.Add(series, double.Parse(sample.Groups["value"].Value.Replace("Inf", "Infinity"), CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>Gets all series: name and labels as they are written.</summary>
    public IEnumerable<string> Series => _values.Keys;

    /// <summary>Gets the value of the label `model`, which every series has.</summary>
    public string Model { get; } = string.Empty;

    /// <summary>The value of a series, with or without the label `model`; null: there is none.</summary>
    public double? this[string series] => _values.TryGetValue(_written.GetValueOrDefault(series, series), out double value) ? value : null;

    /// <summary>Whether one of a metric's series is.</summary>
    public bool IsAboveZero(string metric) => _values.Any(series => Name(series.Key) == metric && series.Value > 0);

    /// <summary>Whether a series is of a counter.</summary>
    public bool Accumulates(string series) => _counters.Contains(Name(series));

    /// <summary>The name of a series' metric.</summary>
    public static string Name(string series) => series.Split('{')[0];

    [GeneratedRegex(@",?model=""(?<model>[^""]*)""(?=[,}])")]
    private static partial Regex ModelLabel();

    [GeneratedRegex(@"^# TYPE (?<name>\S+) (?<type>\S+)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"^(?<name>[a-z_0-9]+)(?<labels>\{.*\})? (?<value>\S+)$")]
    private static partial Regex Sample();
}
