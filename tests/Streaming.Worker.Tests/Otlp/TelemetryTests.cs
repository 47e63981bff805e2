using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Otlp;

/// <summary>What a collector receives from `streaming serve`, without Redis, configured by settings and by OpenTelemetry's variables.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task Serve_SendsMetricsTracesAndLogsOverGrpc()
    {
        await using Collector collector = await Collector.StartAsync();
        using StreamingProcess serve = Serve(
            new()
            {
                ["STREAMING__Telemetry__OtlpEndpoint"] = collector.Address.ToString(),
                ["STREAMING__Telemetry__Interval"] = "1s",
                ["STREAMING__Telemetry__TraceShare"] = "1",
                ["STREAMING__Telemetry__Logs"] = "true",
                ["STREAMING__Redis__Model"] = "toys",
                ["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment.name=east",
            }
        );
        await AskAsync(await AddressAsync(serve), "/users/anna/recommendations");

        await UntilAsync(() => collector.Has("metrics", "streaming.health"));
        await UntilAsync(() => collector.Has("trace", "/users/{id}/recommendations"));
        await UntilAsync(() => collector.Has("logs", "Health and metrics at"));
        Assert.All((string[])["metrics", "trace", "logs"], signal => Assert.True(collector.Has(signal, "streaming"), signal));
        Assert.All((string[])["metrics", "trace", "logs"], signal => Assert.True(collector.Has(signal, "east"), signal));
        Assert.All((string[])["metrics", "trace", "logs"], signal => Assert.True(collector.Has(signal, "toys"), signal));
        Assert.False(collector.Has("trace", "anna"), "a trace names the user");
        await EndAsync(serve);
    }

    [Fact]
    public async Task Serve_SendsOverHttpWithHeadersByOpenTelemetrysVariables()
    {
        await using Collector collector = await Collector.StartAsync(protocol: HttpProtocols.Http1);
        using StreamingProcess serve = Serve(
            new()
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address.ToString(),
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_EXPORTER_OTLP_HEADERS"] = "x-key=k7",
                ["OTEL_SERVICE_NAME"] = "shop-serving",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "1000",
                ["OTEL_TRACES_EXPORTER"] = "otlp",
                ["OTEL_LOGS_EXPORTER"] = "otlp",
            }
        );
        await AskAsync(await AddressAsync(serve), "/items/a");

        await UntilAsync(() => collector.Has("metrics", "shop-serving", "k7"));
        await UntilAsync(() => collector.Has("traces", "shop-serving", "k7"));
        await UntilAsync(() => collector.Has("logs", "shop-serving", "k7"));
        await EndAsync(serve);
    }

    [Fact]
    public async Task Probes_AreNotTraced()
    {
        await using Collector collector = await Collector.StartAsync();
        using StreamingProcess serve = Serve(
            new() { ["STREAMING__Telemetry__OtlpEndpoint"] = collector.Address.ToString(), ["STREAMING__Telemetry__TraceShare"] = "1" }
        );
        Uri address = await AddressAsync(serve);
        await AskAsync(address, "/health/live");
        await AskAsync(address, "/metrics");
        await AskAsync(address, "/items/a");

        await UntilAsync(() => collector.Has("trace", "/items/{id}"));
        Assert.False(collector.Has("trace", "/health/live"));
        Assert.False(collector.Has("trace", "/metrics"));
        await EndAsync(serve);
    }

    private static async Task<Uri> AddressAsync(StreamingProcess serve)
    {
        string line = await serve.WaitForLineAsync(static line => line.Contains("http://127.0.0.1:", StringComparison.Ordinal));
        return new Uri(line[line.IndexOf("http://127.0.0.1:", StringComparison.Ordinal)..].Split(' ', '"')[0]);
    }

    private static StreamingProcess Serve(Dictionary<string, string> settings)
    {
        settings["STREAMING__Redis__Configuration"] = "127.0.0.1:9";
        settings["STREAMING__Http__Port"] = "0";
        return StreamingProcess.Start(["serve"], settings);
    }

    // Without Redis the answer is an error, which is traced as well.
    private static async Task AskAsync(Uri address, string path)
    {
        using var client = new HttpClient { BaseAddress = address };
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.NotEqual(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static async Task EndAsync(StreamingProcess serve)
    {
        serve.Terminate();
        Assert.True(await serve.WaitForExitAsync() == 0, serve.Output);
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!holds())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
