using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Streaming.Worker.Metrics;

/// <summary>Sends the meters to an OTLP collector, when there is one.</summary>
public static class Telemetry
{
    /// <summary>
    /// What the names of our meters begin with, and the meters of .NET itself: memory, collections and threads; requests over HTTP.
    /// </summary>
    public static readonly string[] Meters = [nameof(Streaming) + ".", "System.Runtime", "Microsoft.AspNetCore.Hosting"];

    /// <summary>Starts sending.</summary>
    /// <param name="options">Where to, and how often.</param>
    /// <param name="logger">Told when sending fails, and when it works again.</param>
    /// <returns>What ends it, sending the last figures; null when no collector is set.</returns>
    public static IDisposable? Start(TelemetryOptions options, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.OtlpEndpoint is { } endpoint
            ? new Sender(new ExporterWatch(endpoint, options.Interval, logger), Provider(endpoint, options.Interval))
            : null;
    }

    private static MeterProvider Provider(Uri endpoint, TimeSpan interval) =>
        Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(static resource => resource.AddService("streaming"))
            .AddMeter([.. Meters.Select(static name => name + "*")])
            .AddOtlpExporter(
                (exporter, reader) =>
                {
                    exporter.Endpoint = endpoint;
                    exporter.Protocol = OtlpExportProtocol.Grpc;
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)interval.TotalMilliseconds;
                }
            )
            .Build();

    private sealed class Sender(ExporterWatch watch, MeterProvider provider) : IDisposable
    {
        public void Dispose()
        {
            provider.Dispose();
            watch.Dispose();
        }
    }
}
