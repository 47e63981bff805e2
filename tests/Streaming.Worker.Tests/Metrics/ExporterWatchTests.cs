using Streaming.Tests;
using Streaming.Worker.Metrics;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Metrics;

/// <summary>A collector that does not answer is logged once, and once more when it is back.</summary>
public sealed class ExporterWatchTests
{
    [Fact]
    public async Task NobodyListens_IsOneWarningWithTheAddress()
    {
        var log = new RecordingLoggers();
        using var metrics = new WorkerMetrics();
        using IDisposable? sending = Telemetry.Start(
            new TelemetryOptions { OtlpEndpoint = new Uri("http://127.0.0.1:9"), Interval = TimeSpan.FromSeconds(1) },
            log
        );
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!log.Has("Metrics cannot be sent to http://127.0.0.1:9/ (STREAMING__Telemetry__OtlpEndpoint): "))
        {
            await Task.Delay(20, limit.Token);
        }

        await Task.Delay(TimeSpan.FromSeconds(3), limit.Token); // Three more that fail.
        Assert.Equal(1, log.Count("Metrics cannot be sent"));
    }

    [Fact]
    public async Task CollectorGoesAwayAndComesBack_IsSaidTwiceAndMetricsArriveAgain()
    {
        var log = new RecordingLoggers();
        using var metrics = new WorkerMetrics();
        Collector collector = await Collector.StartAsync();
        Uri address = collector.Address;
        using IDisposable? sending = Telemetry.Start(
            new TelemetryOptions { OtlpEndpoint = address, Interval = TimeSpan.FromSeconds(1) },
            log
        );
        await UntilAsync(() => collector.Exports > 1);
        Assert.False(log.Has("cannot be sent"), log.Text);

        await collector.DisposeAsync();
        await UntilAsync(() => log.Has($"Metrics cannot be sent to {address} (STREAMING__Telemetry__OtlpEndpoint): "));
        await using Collector back = await Collector.StartAsync(address.Port);
        await UntilAsync(() => back.Exports > 0);
        await UntilAsync(() => log.Has($"Metrics are sent to {address} again"));
        Assert.Equal(1, log.Count("cannot be sent"));
    }

    [Fact]
    public async Task Serve_SendsItsMetricsToo()
    {
        await using Collector collector = await Collector.StartAsync();
        using var serve = StreamingProcess.Start(
            ["serve"],
            new Dictionary<string, string>
            {
                ["STREAMING__Redis__Configuration"] = "127.0.0.1:9",
                ["STREAMING__Http__Port"] = "0",
                ["STREAMING__Telemetry__OtlpEndpoint"] = collector.Address.ToString(),
                ["STREAMING__Telemetry__Interval"] = "1s",
            }
        );

        await UntilAsync(() => collector.Exports > 0);
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
