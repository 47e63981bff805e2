using System.CommandLine;
using Microsoft.Extensions.Logging;
using Serilog.Events;
using Streaming.Lab.Demo;
using Streaming.Lab.Feeds;
using Streaming.Worker.Commands;
using Streaming.Worker.Logging;
using Streaming.Worker.Outputs;
using Streaming.Worker.Run;
using Streaming.Worker.Settings;

namespace Streaming.Lab.Commands;

/// <summary>`streaming-lab demo`: the whole program on this machine alone.</summary>
internal static class DemoCommand
{
    private const double SimulatedSeconds = 60;

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var feed = new FeedArguments();
        var noServe = new Option<bool>("--no-serve") { Description = "Exit after the last event instead of serving lookups until Ctrl-C." };
        var report = new Option<string?>("--report") { Description = "Write the report to a file, as JSON.", HelpName = "FILE" };
        var interval = new Option<double>("--interval")
        {
            Description = "Seconds between progress lines.",
            DefaultValueFactory = static _ => 2,
            HelpName = "N",
        };
        var command = new Command(
            "demo",
            "Start an embedded Kafka endpoint and a local Redis, send events from files or a simulated shop, train, publish, serve "
                + "lookups, and print a report."
        );
        feed.AddTo(command);
        Option<string?> file = SettingsOption.Create();
        command.Add(file);
        command.Add(noServe);
        command.Add(report);
        command.Add(interval);
        command.SetAction(
            async (result, _) =>
            {
                OutputPath.Require(("--report", result.GetValue(report)));
                SettingsValues read = SettingsOption.Read(result.GetValue(file));
                WorkerOptions settings = WorkerSettings.Options(read);
                bool simulated = !feed.FromFiles(result);
                double? seconds =
                    result.GetValue(feed.Seconds) ?? (simulated && result.GetValue(feed.Count) is null ? SimulatedSeconds : null);
                var pace = new FeedPace
                {
                    Rate = result.GetValue(feed.Rate),
                    Duration = seconds is { } limit ? TimeSpan.FromSeconds(limit) : TimeSpan.MaxValue,
                    // One batch in training and one that fills keep the trainer busy; more would be a queue.
                    MostAhead = 2 * settings.Batching.BatchSize,
                };
                var options = new DemoOptions(
                    !result.GetValue(noServe),
                    result.GetValue(report),
                    TimeSpan.FromSeconds(Math.Clamp(result.GetValue(interval), 0.1, 3600)),
                    pace
                );
                EventFeed events = feed.Create(result, TimeProvider.System);
                using ILoggerFactory loggers = WorkerLogging.Create(
                    settings.Log,
                    settings.Telemetry,
                    settings.Redis.Model,
                    Console.IsOutputRedirected ? LogEventLevel.Verbose : LogEventLevel.Warning
                );
                SettingsLog.Notices(loggers, read);
                await using var demo = new DemoRun(settings, events, options, TimeProvider.System, loggers, Console.Out);
                return (int)await demo.RunAsync().ConfigureAwait(false);
            }
        );
        return command;
    }
}
