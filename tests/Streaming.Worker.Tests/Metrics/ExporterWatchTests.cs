using Streaming.Worker.Metrics;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Metrics;

/// <summary>A collector that does not answer is said, once.</summary>
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
}
