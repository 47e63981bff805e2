using Streaming.Worker.Http;
using Streaming.Worker.Logging;
using Streaming.Worker.Otlp;
using Streaming.Worker.Serve;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Run;

/// <summary>All options of the program.</summary>
public sealed record WorkerOptions : StageOptions
{
    /// <summary>Gets where health, metrics and lookups are served.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary>Gets how items are searched for lookups.</summary>
    public ServeOptions Serve { get; init; } = new();

    /// <summary>Gets where metrics are sent.</summary>
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>Gets what is logged.</summary>
    public LogOptions Log { get; init; } = new();
}
