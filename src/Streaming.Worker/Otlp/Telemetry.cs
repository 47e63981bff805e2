using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Streaming.Core.Tracing;

namespace Streaming.Worker.Otlp;

/// <summary>Sends metrics and traces to an OTLP collector, when there is one.</summary>
public static class Telemetry
{
    /// <summary>
    /// What the names of our meters begin with, and the meters of .NET itself: memory, collections and threads; requests over HTTP.
    /// </summary>
    public static readonly string[] Meters = [nameof(Streaming) + ".", "System.Runtime", "Microsoft.AspNetCore.Hosting"];

    /// <summary>Starts sending.</summary>
    /// <param name="options">Where to, what, and how often.</param>
    /// <param name="model">The model's name, for the resource.</param>
    /// <param name="logger">Told when sending fails, and when it works again.</param>
    /// <returns>What ends it, sending what waits; null when no collector is set.</returns>
    public static IDisposable? Start(TelemetryOptions options, string model, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.OtlpEndpoint is { } endpoint
            ? new Sender(
                new ExporterWatch(endpoint, options.Interval, logger),
                options.Metrics ? MetricsTo(options, model) : null,
                options.TraceShare > 0 ? TracesTo(options, model) : null
            )
            : null;
    }

    /// <summary>Describes the service: an id of this process and OTEL_RESOURCE_ATTRIBUTES, which may replace it, under its name; and the
    /// model.</summary>
    internal static ResourceBuilder Describe(ResourceBuilder resource, TelemetryOptions options, string model) =>
        resource
            .AddService(options.ServiceName)
            .AddEnvironmentVariableDetector()
            .AddAttributes([new("service.name", options.ServiceName), new("streaming.model", model)]);

    private static MeterProvider MetricsTo(TelemetryOptions options, string model) =>
        Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => Describe(resource, options, model))
            .AddMeter([.. Meters.Select(static name => name + "*")])
            .AddOtlpExporter(
                (exporter, reader) =>
                {
                    options.Configure(exporter, "metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.Interval.TotalMilliseconds;
                }
            )
            .Build();

    private static TracerProvider TracesTo(TelemetryOptions options, string model) =>
        Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(resource => Describe(resource, options, model))
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.TraceShare)))
            .AddSource(StreamTracing.SourceName)
            .AddAspNetCoreInstrumentation(static requests =>
            {
                requests.Filter = static context => !IsProbe(context.Request.Path);
                // The path of a request names users.
                requests.EnrichWithHttpResponse = static (activity, response) => activity.SetTag("url.path", Route(response.HttpContext));
            })
            .AddOtlpExporter(exporter => options.Configure(exporter, "traces"))
            .Build();

    private static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics");

    private static string? Route(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;

    private sealed class Sender(ExporterWatch watch, MeterProvider? metrics, TracerProvider? traces) : IDisposable
    {
        public void Dispose()
        {
            traces?.Dispose();
            metrics?.Dispose();
            watch.Dispose();
        }
    }
}
