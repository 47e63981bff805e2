using System.Text.RegularExpressions;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Metrics;

/// <summary>
/// What a working worker answers at /metrics keeps the rules that Prometheus' own linter (promtool check metrics) checks.
/// </summary>
public sealed partial class ExpositionRulesTests
{
    [Fact]
    public async Task Metrics_OfAWorkerThatWorks_KeepTheRules()
    {
        using var broker = new EmbeddedBroker();
        broker.CreateTopic("interactions", 2);
        broker.CreateTopic("items", 1);
        broker.CreateTopic("interactions.dead-letters", 1);
        await using LocalRedisServer redis = await LocalRedisServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        Dictionary<string, string> variables = new()
        {
            ["STREAMING__Kafka__BootstrapServers"] = broker.BootstrapServers,
            ["STREAMING__Redis__Configuration"] = redis.Configuration,
            ["STREAMING__Http__Port"] = "0",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
            ["STREAMING__Model__Widths"] = "8,16",
            ["STREAMING__Model__ItemCapacity"] = "3000",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Kafka__Assignment"] = "Static",
        };
        using var worker = StreamingProcess.Start(["run"], variables);
        string listening = await worker.WaitForLineAsync(static line => line.Contains("Health and metrics at", StringComparison.Ordinal));
        using var replay = StreamingProcess.Start(["replay", "--count", "1000"], variables);
        Assert.True(await replay.WaitForExitAsync() == 0, replay.Output);

        using HttpClient client = new() { BaseAddress = new Uri(listening[listening.IndexOf("http", StringComparison.Ordinal)..]) };
        string text = await UntilFreshAsync(client);

        Assert.Empty(Violations(text));
        Assert.Contains("\nstreaming_model_info{generation=\"1\",model=\"items\"} 1\n", text, StringComparison.Ordinal);
        Assert.True(text.Split('\n').Count(static line => line.StartsWith("# TYPE", StringComparison.Ordinal)) > 40, text);
    }

    [Theory]
    [InlineData("# HELP a_count x\n# TYPE a_count gauge\na_count 1\n", "a_count: a suffix of histograms and summaries")]
    [InlineData("# HELP a x\n# TYPE a gauge\na{quantile=\"0.5\"} 1\n", "a: label quantile")]
    [InlineData("# HELP a x\n# TYPE a counter\na 1\n", "a: a counter without _total")]
    [InlineData("# HELP a_total x\n# TYPE a_total gauge\na_total 1\n", "a_total: _total, but no counter")]
    [InlineData("# HELP a \n# TYPE a gauge\na 1\n", "a: no help")]
    [InlineData("# HELP aB x\n# TYPE aB gauge\naB 1\n", "aB: not snake_case")]
    [InlineData("# HELP a x\n# TYPE a gauge\na 1\na 1\n", "a 1: twice")]
    public void EachRule_IsOneThatCanBeBroken(string text, string violation) => Assert.Equal(violation, Assert.Single(Violations(text)));

    private static async Task<string> UntilFreshAsync(HttpClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            string text = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), limit.Token);
            if (
                text.Contains("\nstreaming_freshness_seconds{", StringComparison.Ordinal)
                && text.Contains("\nstreaming_health{part=\"kafka\",model=\"items\"} 0", StringComparison.Ordinal)
            )
            {
                return text;
            }

            await Task.Delay(100, limit.Token);
        }
    }

    private static List<string> Violations(string text)
    {
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        var helps = new HashSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var violations = new List<string>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                helps.Add(help.Groups[1].Value);
            }
            else if (TypeLine().Match(line) is { Success: true } type)
            {
                types.Add(type.Groups[1].Value, type.Groups[2].Value);
            }
            else if (Sample().Match(line) is { Success: true } sample)
            {
                if (!seen.Add(sample.Groups[1].Value + sample.Groups[2].Value))
                {
                    violations.Add($"{line}: twice");
                }

                bool labels = sample.Groups[2].Value.Contains("quantile=", StringComparison.Ordinal);
                violations.AddRange(labels ? [$"{sample.Groups[1].Value}: label quantile"] : Array.Empty<string>());
            }
            else if (!line.StartsWith("# HELP", StringComparison.Ordinal))
            {
                violations.Add($"{line}: not a line of the format");
            }
        }

        foreach ((string name, string type) in types)
        {
            void Check(bool good, string what) => violations.AddRange(good ? [] : [$"{name}: {what}"]);
            Check(helps.Contains(name), "no help");
            Check(!name.Any(char.IsAsciiLetterUpper), "not snake_case");
            Check(type is "histogram" or "summary" || !SeriesSuffix().IsMatch(name), "a suffix of histograms and summaries");
            Check(type != "counter" || name.EndsWith("_total", StringComparison.Ordinal), "a counter without _total");
            Check(type == "counter" || !name.EndsWith("_total", StringComparison.Ordinal), "_total, but no counter");
        }

        return violations;
    }

    [GeneratedRegex(@"^# HELP (\S+) \S")]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE (\S+) (counter|gauge|histogram|summary)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (NaN|[+-]Inf|[0-9.eE+-]+)$")]
    private static partial Regex Sample();

    [GeneratedRegex("_(count|sum|bucket)$")]
    private static partial Regex SeriesSuffix();
}
