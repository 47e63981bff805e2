using System.Globalization;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Resources;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Compact;
using Streaming.Worker.Otlp;

namespace Streaming.Worker.Logging;

/// <summary>Makes the logger factory that everything gets its logger from.</summary>
public static class WorkerLogging
{
    private const string Template = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";
    private const string RankTemplate = "{Timestamp:HH:mm:ss.fff} {Level:u3} rank {Rank}: {Message:lj}{NewLine}{Exception}";

    /// <summary>Creates the factory. Everything is written to standard error, and sent to a collector if the options say so.</summary>
    /// <param name="options">Level and form.</param>
    /// <param name="telemetry">The collector; null: none.</param>
    /// <param name="model">The model's name, for the collector.</param>
    /// <param name="quietest">A floor over the level: the live view of the demo shows warnings only.</param>
    /// <param name="rank">The number of this rank, which every line has: launchers mix the lines of all. Null: this process alone.</param>
    public static ILoggerFactory Create(
        LogOptions options,
        TelemetryOptions? telemetry = null,
        string model = "",
        LogEventLevel quietest = LogEventLevel.Verbose,
        int? rank = null
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        return LoggerFactory.Create(builder =>
        {
            Limit<SerilogLoggerProvider>(builder, options.Level > quietest ? options.Level : quietest);
            builder.AddProvider(new SerilogLoggerProvider(StandardError(options.Format, rank), dispose: true));
            if (telemetry is { Logs: true })
            {
                Limit<OpenTelemetryLoggerProvider>(builder, options.Level);
                builder.AddOpenTelemetry(logs =>
                {
                    logs.IncludeFormattedMessage = true;
                    logs.SetResourceBuilder(Telemetry.Describe(ResourceBuilder.CreateDefault(), telemetry, model));
                    logs.AddOtlpExporter(exporter => telemetry.Configure(exporter, "logs"));
                });
            }
        });
    }

    private static void Limit<T>(ILoggingBuilder builder, LogEventLevel least)
        where T : ILoggerProvider
    {
        LogLevel level = LevelConvert.ToExtensionsLevel(least);
        builder.AddFilter<T>(category: null, level);
        builder.AddFilter<T>("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning);
        // What it logs as an error it throws as well, and the command says that in one line.
        builder.AddFilter<T>("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }

    private static Logger StandardError(LogFormat format, int? rank)
    {
        LoggerConfiguration configuration = new LoggerConfiguration().MinimumLevel.Verbose();
        if (rank is not null)
        {
            configuration = configuration.Enrich.WithProperty("Rank", rank);
        }

        configuration =
            format == LogFormat.Json
                ? configuration.WriteTo.Console(new RenderedCompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose)
                : configuration.WriteTo.Console(
                    outputTemplate: rank is null ? Template : RankTemplate,
                    formatProvider: CultureInfo.InvariantCulture,
                    standardErrorFromLevel: LogEventLevel.Verbose
                );
        Logger console = configuration.CreateLogger();
        return new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(new BackgroundSink(console.Write)).CreateLogger();
    }
}
