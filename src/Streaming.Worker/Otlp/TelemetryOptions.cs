using OpenTelemetry.Exporter;
using Streaming.Core.Options;

namespace Streaming.Worker.Otlp;

/// <summary>What is sent to an OpenTelemetry collector, in addition to the text at /metrics and the log on standard error.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Gets the address of an OTLP collector, such as http://collector:4317. Default none: nothing is sent.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Gets the protocol: Grpc, or HttpProtobuf (to {address}/v1/metrics and so on). Default Grpc.</summary>
    public OtlpProtocol OtlpProtocol { get; init; }

    /// <summary>Gets the headers of every request to the collector, name=value separated by commas, such as an API key. Default
    /// empty.</summary>
    public string OtlpHeaders { get; init; } = string.Empty;

    /// <summary>Gets the service's name (service.name). Default streaming.</summary>
    public string ServiceName { get; init; } = "streaming";

    /// <summary>Gets a value indicating whether metrics are sent. Default true.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>Gets how often metrics are sent. Default 15s; 1s … 1h.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets a value indicating whether log lines are sent. Default false.</summary>
    public bool Logs { get; init; }

    /// <summary>
    /// Gets the share of HTTP requests, and of records of the interactions topic on their way to Redis, that are traced. Those whose
    /// `traceparent` header says that they are sampled are always traced unless this is 0. Default 0: no traces; 0 … 1.
    /// </summary>
    public double TraceShare { get; init; }

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(
            OtlpEndpoint is null || OtlpEndpoint.Scheme is "http" or "https",
            nameof(OtlpEndpoint),
            OtlpEndpoint,
            "an address with http or https"
        );
        errors.Check(
            OtlpEndpoint is not null || !(Logs || TraceShare > 0),
            nameof(OtlpEndpoint),
            OtlpEndpoint,
            "the address of a collector, because traces or logs are to be sent"
        );
        // The value may hold a key, so it is not shown.
        errors.Check(AreHeaders(OtlpHeaders), nameof(OtlpHeaders), "***", "name=value pairs separated by commas");
        errors.Check(ServiceName.Length > 0, nameof(ServiceName), ServiceName, "a name");
        errors.Range(nameof(Interval), Interval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        errors.Range(nameof(TraceShare), TraceShare, 0, 1);
        errors.Throw();
    }

    /// <summary>Configures an exporter of one signal.</summary>
    /// <param name="exporter">The exporter's options.</param>
    /// <param name="signal">The last part of its path over HTTP: metrics, traces or logs.</param>
    internal void Configure(OtlpExporterOptions exporter, string signal)
    {
        bool http = OtlpProtocol == OtlpProtocol.HttpProtobuf;
        exporter.Protocol = http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        exporter.Endpoint = http ? new Uri($"{OtlpEndpoint!.AbsoluteUri.TrimEnd('/')}/v1/{signal}") : OtlpEndpoint!;
        exporter.Headers = OtlpHeaders.Length == 0 ? null : OtlpHeaders;
    }

    private static bool AreHeaders(string text) =>
        text.Length == 0 || text.Split(',').All(static pair => pair.IndexOf('=', StringComparison.Ordinal) > 0);
}
