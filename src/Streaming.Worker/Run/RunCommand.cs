using System.CommandLine;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker;

/// <summary>`streaming run`: learn from the Kafka and publish to the Redis that the settings name.</summary>
internal static class RunCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var command = new Command("run", "Learn from the Kafka topics and publish to the Redis that the settings name, until SIGTERM; then drain, publish, write a checkpoint and exit 0.");
        command.SetAction(async (_, _) =>
        {
            SettingsValues settings = WorkerSettings.FromEnvironment();
            using ILoggerFactory loggers = WorkerLogging.Create(settings.Get<LogOptions>());
            using var run = new WorkerRun(settings, TimeProvider.System, loggers);
            using var signals = new ShutdownSignals(settings.Get<PipelineOptions>().ShutdownTimeout, TimeProvider.System);
            return (int)await run.RunAsync(signals.Stopping, signals.Abort).ConfigureAwait(false);
        });
        return command;
    }
}
