using Serilog.Events;

namespace Streaming.Worker.Logging;

/// <summary>What is logged and how. The log goes to standard error; reports go to standard output.</summary>
public sealed record LogOptions
{
    /// <summary>Gets the lowest level that is written. Default Information.</summary>
    public LogEventLevel Level { get; init; } = LogEventLevel.Information;

    /// <summary>Gets the format: Text, or Json for one object a line in the compact log event format (CLEF). Default Text.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;
}
