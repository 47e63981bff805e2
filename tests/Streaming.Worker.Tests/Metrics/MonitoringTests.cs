using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streaming.Learning.Ranks;
using Streaming.Worker.Health;
using Streaming.Worker.Logging;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Serve;
using Streaming.Worker.Tests.Alerts;
using Streaming.Worker.Tests.Layout;
using Xunit;

namespace Streaming.Worker.Tests.Metrics;

/// <summary>A worker exports every metric that deploy/monitoring queries.</summary>
public partial class MonitoringTests
{
    [Theory]
    [InlineData("alerts.yml", 10)]
    [InlineData("streaming.json", 15)]
    public void Expressions_NameMetricsOfTheWorker(string file, int least)
    {
        string[] named = [.. MetricName().Matches(File.ReadAllText(Path.Combine(Folder(), file))).Select(match => match.Value).Distinct()];

        Assert.True(named.Length >= least, $"{file} names {named.Length} metrics");
        Assert.Empty(named.Except(Exposed()));
    }

    [Fact]
    public void Dashboard_ShowsEveryMetricOfTheWorker()
    {
        string[] shown =
        [
            .. BoardExpressions().SelectMany(expression => MetricName().Matches(expression)).Select(match => Base(match.Value)).Distinct(),
        ];

        // The rate of examples covers the number of steps.
        Assert.Equal(
            ["streaming_steps"],
            Exposed().Where(name => name.StartsWith("streaming_", StringComparison.Ordinal)).Select(Base).Distinct().Except(shown).Order()
        );
    }

    [Fact]
    public void Dashboard_AsksForOneModelAndTheInstancesOfTheChosenGenerations()
    {
        using JsonDocument board = ReadBoard();
        var variables = board
            .RootElement.GetProperty("templating")
            .GetProperty("list")
            .EnumerateArray()
            .ToDictionary(
                variable => variable.GetProperty("name").GetString()!,
                variable => variable.GetProperty("query").GetProperty("query").GetString()!
            );

        Assert.Equal("label_values(streaming_model_info, model)", variables["model"]);
        Assert.Equal("label_values(streaming_model_info{model=\"$model\"}, generation)", variables["generation"]);
        Assert.Equal("label_values(streaming_model_info{model=\"$model\",generation=~\"$generation\"}, instance)", variables["instance"]);
        Assert.All(
            BoardExpressions(),
            static expression =>
                Assert.Equal(
                    BoardMetric().Count(expression),
                    expression.Split("{model=\"$model\",instance=~\"$instance\"", StringSplitOptions.None).Length - 1
                )
        );
    }

    [Fact]
    public void AlertRules_KeepTheModelOfWhatTheyAggregate()
    {
        string rules = File.ReadAllText(Path.Combine(Folder(), "alerts.yml"));
        MatchCollection groupings = Grouping().Matches(rules);

        Assert.True(groupings.Count >= 20, $"{groupings.Count} groupings");
        Assert.All(groupings, static grouping => Assert.StartsWith("instance, model", grouping.Groups[1].Value, StringComparison.Ordinal));
    }

    [Fact]
    public void HealthStates_ListEveryAlertMetricAndPart()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryLayoutTests.Root(), "deploy", "README.md"));
        string[][] rows =
        [
            .. page[page.IndexOf("### Health states", StringComparison.Ordinal)..]
                .Split('\n')
                .SkipWhile(static line => !line.StartsWith('|'))
                .TakeWhile(static line => line.StartsWith('|'))
                .Skip(2) // The names of the columns.
                .Select(static line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]),
        ];
        string[] parts = [.. rows.SelectMany(row => Part().Matches(row[1]).Select(match => match.Groups[1].Value.Trim())).Distinct()];
        string[] metrics = [.. rows.SelectMany(row => MetricName().Matches(row[2]).Select(match => match.Value)).Distinct()];

        Assert.All(rows, static row => Assert.Equal(5, row.Length));
        Assert.Equal(
            AlertTimeline.Alerts.Order(),
            rows.SelectMany(row => Alert().Matches(row[3]).Select(match => match.Value)).Distinct().Order()
        );
        Assert.Equal(PartsOfTheCode().Order(), parts.Order());
        Assert.Empty(metrics.Select(Base).Except(Exposed().Select(Base)));
    }

    /// <summary>The parts of health that the sources name.</summary>
    private static string[] PartsOfTheCode() =>
        [
            .. Directory
                .GetFiles(Path.Combine(RepositoryLayoutTests.Root(), "src", "Streaming.Worker"), "*.cs", SearchOption.AllDirectories)
                .SelectMany(file => PartOfTheCode().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value))
                .Distinct(),
        ];

    private static JsonDocument ReadBoard() => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder(), "streaming.json")));

    private static string[] BoardExpressions()
    {
        using JsonDocument board = ReadBoard();
        return
        [
            .. board
                .RootElement.GetProperty("panels")
                .EnumerateArray()
                .Where(panel => panel.TryGetProperty("targets", out _))
                .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
                .Select(target => target.GetProperty("expr").GetString()!),
        ];
    }

    private static string Folder() => Path.Combine(RepositoryLayoutTests.Root(), "deploy", "monitoring");

    /// <summary>The names at /metrics, including the series of histograms.</summary>
    private static HashSet<string> Exposed()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (
                instrument.Meter.Name
                    is WorkerMetrics.MeterName
                        or HealthMetrics.MeterName
                        or ServeMetrics.MeterName
                        or ModelMetrics.MeterName
                        or RankMetrics.MeterName
                        or BackgroundSink.MeterName
                || Telemetry.Meters.Contains(instrument.Meter.Name)
            )
            {
                string name = PrometheusExposition.NameOf(instrument);
                names.UnionWith(instrument is Histogram<double> ? [name + "_bucket", name + "_sum", name + "_count"] : [name]);
            }
        };
        using var metrics = new WorkerMetrics();
        using var health = new HealthMetrics(new HealthReport());
        using var serving = new ServeMetrics(index: null!, "active"); // only names are needed
        using var model = new ModelMetrics(static () => []);
        using var log = new BackgroundSink(static _ => { });
        using var ranks = new RankMetrics(new OneOfTwo());
        listener.Start();
        return names;
    }

    /// <summary>A rank with another one, which is never spoken to.</summary>
    private sealed class OneOfTwo() : Collective(0, 2)
    {
        protected override void Wait() => throw new NotSupportedException();

        protected override void GatherBytes(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts) =>
            throw new NotSupportedException();

        protected override void ExchangeBytes(
            ReadOnlySpan<byte> send,
            ReadOnlySpan<int> sendCounts,
            Span<byte> receive,
            ReadOnlySpan<int> receiveCounts
        ) => throw new NotSupportedException();

        protected override void BroadcastBytes(Span<byte> values, int root) => throw new NotSupportedException();
    }

    private static string Base(string name) => HistogramSeries().Replace(name, string.Empty);

    [GeneratedRegex("(?:^|; )([a-z][a-z ]*), (?:degraded|not ready)")]
    private static partial Regex Part();

    [GeneratedRegex("Streaming[A-Z][A-Za-z]+")]
    private static partial Regex Alert();

    [GeneratedRegex(@"(?:PartWatch\(|[hH]ealth\.Set\()\s*""([a-z ]+)""")]
    private static partial Regex PartOfTheCode();

    [GeneratedRegex("(streaming|dotnet)_[a-z0-9_]+")]
    private static partial Regex MetricName();

    [GeneratedRegex("(streaming|dotnet|http_server)_[a-z0-9_]+")]
    private static partial Regex BoardMetric();

    [GeneratedRegex(@"\b(?:by|on) \(([^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSeries();
}
