using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Streaming.Worker.Tests.Layout;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>
/// States of a program, one after the other, each with what /metrics answered and the alerts that fire at its end; checked against
/// deploy/monitoring/alerts.yml by Prometheus' own rule engine (promtool test rules). A state is held longer than any rule looks back:
/// levels stay as scraped, and counters go on rising as they did between two scrapes.
/// </summary>
/// <param name="job">The label of that name, as Prometheus adds it.</param>
internal sealed partial class AlertTimeline(string job)
{
    /// <summary>Each state lasts this many scrapes: 40 minutes, more than the longest `for` of 30 minutes.</summary>
    private const int Scrapes = 40;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private static readonly string File = Path.Combine(RepositoryLayoutTests.Root(), "deploy", "monitoring", "alerts.yml");
    private static readonly string Rules = System.IO.File.ReadAllText(File);
    private static readonly HashSet<string> Asked = [.. MetricName().Matches(Rules).Select(static match => match.Value)];

    private readonly List<State> _states = [];

    /// <summary>The alerts that the rules have.</summary>
    public static IReadOnlySet<string> Alerts { get; } =
        AlertName().Matches(Rules).Select(static match => match.Groups[1].Value).ToHashSet();

    /// <summary>Adds a state.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="first">What /metrics answered: the levels; null: nothing, the program is down.</param>
    /// <param name="second">What it answered later: how counters rise.</param>
    /// <param name="apart">How much later.</param>
    /// <param name="alerts">The alerts that fire at the end, as <c>StreamingUnhealthy{part="lease"}</c>.</param>
    public void Add(string name, Exposition? first, Exposition? second, TimeSpan apart, params string[] alerts) =>
        _states.Add(new State(name, first, second, apart, alerts, IsRising: false));

    /// <summary>The same, where levels go on rising as well.</summary>
    public void AddRising(string name, Exposition first, Exposition second, TimeSpan apart, params string[] alerts) =>
        _states.Add(new State(name, first, second, apart, alerts, IsRising: true));

    /// <summary>Fails unless at the end of each state exactly its alerts fire.</summary>
    public async Task VerifyAsync()
    {
        Assert.NotEmpty(_states);
        string file = Path.GetTempFileName();
        try
        {
            await System.IO.File.WriteAllTextAsync(file, Test());
            (int code, string output) = await RunAsync("test", "rules", file);
            Assert.True(code == 0, $"{Legend()}\n{output}");
        }
        finally
        {
            System.IO.File.Delete(file);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("promtool", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, output + await errors);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException(
                "promtool is missing: it is in Debian's package prometheus, which tests/run.sh installs",
                exception
            );
        }
    }

    private string Legend() =>
        string.Join('\n', _states.Select((state, i) => $"{Minutes(i)}: {state.Name}, expected: {string.Join(", ", state.Alerts)}"));

    private static string Minutes(int state) => $"{((state + 1) * Scrapes - 1) * Interval.TotalSeconds / 60:0.#}m";

    private string Test()
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            rule_files: ['{File}']
            evaluation_interval: {Interval.TotalSeconds}s
            tests:
              - interval: {Interval.TotalSeconds}s
                input_series:

            """
        );
        Series(text, "up", state => state.First is null ? 0 : 1, static _ => 0);
        foreach (string series in _states.SelectMany(static state => state.First?.Series ?? []).Distinct())
        {
            if (Asked.Contains(Exposition.Name(series)))
            {
                Series(text, series);
            }
        }

        text.Append("    promql_expr_test:\n");
        for (int i = 0; i < _states.Count; i++)
        {
            text.Append("      - expr: max by (alertname, model, part, problem, reason, topic) (ALERTS{alertstate=\"firing\"})\n")
                .Append(
                    CultureInfo.InvariantCulture,
                    $"        eval_time: {(i + 1) * Scrapes * (int)Interval.TotalSeconds - (int)Interval.TotalSeconds}s\n"
                )
                .Append(_states[i].Alerts.Length > 0 ? "        exp_samples:\n" : string.Empty);
            foreach (string alert in _states[i].Alerts)
            {
                string[] parts = alert.Split('{', 2);
                // Whoever does not answer does not say which model it has.
                string model = parts[0] == "StreamingWorkerDown" ? string.Empty : $",model=\"{_states[i].First!.Model}\"";
                string labels = $"alertname=\"{parts[0]}\"{model}" + (parts.Length == 1 ? string.Empty : "," + parts[1][..^1]);
                text.Append(CultureInfo.InvariantCulture, $"          - labels: '{{{labels}}}'\n            value: 1\n");
            }
        }

        return text.ToString();
    }

    private void Series(StringBuilder text, string series)
    {
        if (_states.Any(state => state.First?.Accumulates(series) == true))
        {
            Counter(text, series);
        }
        else
        {
            Series(
                text,
                series,
                state => state.First?[series],
                state => state.IsRising ? Rise(state, state.First?[series] ?? 0, state.Second?[series] ?? 0) : 0
            );
        }
    }

    /// <summary>A counter goes on from where the state before has left it, by as much as was counted between the scrapes.</summary>
    private void Counter(StringBuilder text, string series)
    {
        double level = 0;
        double scraped = 0;
        var begins = new Dictionary<State, double>();
        var slopes = new Dictionary<State, double>();
        foreach (State state in _states)
        {
            if (state.First?[series] is { } first && state.Second?[series] is { } second)
            {
                level = first < scraped ? first : level + (first - scraped);
                begins[state] = level;
                slopes[state] = Rise(state, first, second);
                level += slopes[state] * (Scrapes - 1);
                scraped = second;
            }
        }

        Series(text, series, state => begins.TryGetValue(state, out double begin) ? begin : null, state => slopes[state]);
    }

    /// <summary>From one scrape of the timeline to the next.</summary>
    private static double Rise(State state, double first, double second) => (second - first) * (Interval / state.Apart);

    private void Series(StringBuilder text, string series, Func<State, double?> begin, Func<State, double> slope)
    {
        string labels = series.Contains('{') ? "," + series[(series.IndexOf('{') + 1)..^1] : string.Empty;
        text.Append(
            CultureInfo.InvariantCulture,
            $"      - series: '{Exposition.Name(series)}{{job=\"{job}\",instance=\"host:8080\"{labels}}}'\n        values: '"
        );
        foreach (State state in _states)
        {
            text.Append(
                begin(state) is { } value && !double.IsNaN(value)
                    ? string.Create(CultureInfo.InvariantCulture, $"{value:R}+{slope(state):R}x{Scrapes - 1} ")
                    : string.Create(CultureInfo.InvariantCulture, $"stale _x{Scrapes - 1} ")
            );
        }

        text.Append("'\n");
    }

    [GeneratedRegex("(streaming|dotnet)_[a-z0-9_]+")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"- alert: (\S+)")]
    private static partial Regex AlertName();

    private sealed record State(string Name, Exposition? First, Exposition? Second, TimeSpan Apart, string[] Alerts, bool IsRising);
}
