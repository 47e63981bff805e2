using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Otlp;

/// <summary>What sending telemetry logs. Ids 1300 to 1399.</summary>
internal static partial class TelemetryLog
{
    [LoggerMessage(1310, LogLevel.Warning, "Telemetry cannot be sent to {Endpoint} (STREAMING__Telemetry__OtlpEndpoint): {Reason}")]
    public static partial void Failing(ILogger logger, Uri endpoint, string reason);

    [LoggerMessage(1311, LogLevel.Information, "Telemetry is sent to {Endpoint} again")]
    public static partial void Working(ILogger logger, Uri endpoint);
}
