using Streaming.Core.Options;

namespace Streaming.Worker.Metrics;

/// <summary>Metrics by OpenTelemetry, beside the text at /metrics.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Gets the address of an OTLP collector (gRPC), such as http://collector:4317. Default none: nothing is sent.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Gets how often metrics are sent. Default 15s; 1s … 1h.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

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
        errors.Range(nameof(Interval), Interval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        errors.Throw();
    }
}
