using System.Diagnostics.Metrics;
using Streaming.Worker.Health;

namespace Streaming.Worker.Metrics;

/// <summary>The health of each part as a metric, for alert rules.</summary>
public sealed class HealthMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streaming.Health";

    private readonly Meter _meter = new(MeterName);

    /// <summary>Creates the instrument.</summary>
    /// <param name="health">Read at each scrape.</param>
    public HealthMetrics(HealthReport health) =>
        _meter.CreateObservableGauge(
            "streaming.health",
            () =>
                health
                    .Levels()
                    .Select(static part => new Measurement<double>(
                        (int)part.Value,
                        KeyValuePair.Create<string, object?>("part", part.Key)
                    )),
            null,
            "How each part is: 0 healthy, 1 degraded, 2 not ready, 3 failed; /health/ready has the details."
        );

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
