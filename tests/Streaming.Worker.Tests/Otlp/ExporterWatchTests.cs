using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Otlp;

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
            "shop",
            log
        );
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!log.Has("Telemetry cannot be sent to http://127.0.0.1:9/ (STREAMING__Telemetry__OtlpEndpoint): "))
        {
            await Task.Delay(20, limit.Token);
        }

        await Task.Delay(TimeSpan.FromSeconds(3), limit.Token); // Three more that fail.
        Assert.Equal(1, log.Count("Telemetry cannot be sent"));
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
            "shop",
            log
        );
        await UntilAsync(() => collector.Exports > 1);
        Assert.False(log.Has("cannot be sent"), log.Text);

        await collector.DisposeAsync();
        await UntilAsync(() => log.Has($"Telemetry cannot be sent to {address} (STREAMING__Telemetry__OtlpEndpoint): "));
        await using Collector back = await Collector.StartAsync(address.Port);
        await UntilAsync(() => back.Exports > 0);
        await UntilAsync(() => log.Has($"Telemetry is sent to {address} again"));
        Assert.Equal(1, log.Count("cannot be sent"));
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
