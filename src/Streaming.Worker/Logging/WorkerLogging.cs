using System.Globalization;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Compact;

namespace Streaming.Worker.Logging;

/// <summary>Makes the logger factory that everything gets its logger from.</summary>
public static class WorkerLogging
{
    private const string Template = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";

    /// <summary>Creates the factory. Everything is written to standard error.</summary>
    /// <param name="options">Level and form.</param>
    /// <param name="quietest">A floor over the level: the live view of the demo shows warnings only.</param>
    public static ILoggerFactory Create(LogOptions options, LogEventLevel quietest = LogEventLevel.Verbose)
    {
        ArgumentNullException.ThrowIfNull(options);
        LogEventLevel level = options.Level > quietest ? options.Level : quietest;
        LoggerConfiguration configuration = new LoggerConfiguration().MinimumLevel.Verbose();
        configuration =
            options.Format == LogFormat.Json
                ? configuration.WriteTo.Console(new RenderedCompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose)
                : configuration.WriteTo.Console(
                    outputTemplate: Template,
                    formatProvider: CultureInfo.InvariantCulture,
                    standardErrorFromLevel: LogEventLevel.Verbose
                );
        Logger console = configuration.CreateLogger();
        Logger logger = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", level > LogEventLevel.Warning ? level : LogEventLevel.Warning)
            // What it logs as an error it throws as well, and the command says that in one line.
            .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
            .WriteTo.Sink(new BackgroundSink(console.Write))
            .CreateLogger();
        return new SerilogLoggerFactory(logger, dispose: true);
    }
}
