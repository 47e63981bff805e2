using Serilog.Events;

namespace Streaming.Worker.Logging;

/// <summary>What is logged and how. The log goes to standard error; reports go to standard output.</summary>
public sealed record LogOptions
{
    /// <summary>Gets the lowest level that is written. Default Information.</summary>
    public LogEventLevel Level { get; init; } = LogEventLevel.Information;

    /// <summary>Gets the form: Text, or Json for one object a line. Default Text.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;
}
