using System.CommandLine;
using Microsoft.Extensions.Logging;
using Streaming.Worker.Failures;
using Streaming.Worker.Logging;
using Streaming.Worker.Run;
using Streaming.Worker.Settings;
using Streaming.Worker.Shutdown;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Commands;

/// <summary>`streaming run`: learn from the Kafka and publish to the Redis that the settings name.</summary>
internal static class RunCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var from = new Option<string?>("--from")
        {
            Description =
                "A checkpoint, a folder of them, or the --model folder of a backtest: a model that has no checkpoint of its own yet "
                + "starts with its items, weights, memory bank, frequencies and, where it was trained on events, the users' "
                + "histories.",
            HelpName = "FOLDER",
        };
        var generation = new Option<uint?>("--generation")
        {
            Description =
                "The generation to train. Default: the one that readers use. The next number begins one with a changed shape beside it, "
                + "from its newest checkpoint.",
            HelpName = "N",
        };
        Option<string?> file = SettingsOption.Create();
        var command = new Command(
            "run",
            "Learn from the Kafka topics and publish to the Redis that the settings name, until SIGTERM; then drain, publish, write a "
                + "checkpoint and exit 0."
        )
        {
            file,
            from,
            generation,
        };
        command.SetAction(
            async (result, _) =>
            {
                SettingsValues read = SettingsOption.Read(result.GetValue(file));
                WorkerOptions settings = WorkerSettings.Options(read);
                using ILoggerFactory loggers = WorkerLogging.Create(settings.Log);
                SettingsLog.Notices(loggers, read);
                using var run = new WorkerRun(
                    settings,
                    TimeProvider.System,
                    loggers,
                    new RunRequest(result.GetValue(generation), result.GetValue(from))
                );
                using var signals = new ShutdownSignals(
                    settings.Pipeline.ShutdownTimeout,
                    TimeProvider.System,
                    static () => ProcessEnd.Now((int)ExitCode.Aborted)
                );
                return (int)await run.RunAsync(signals.Stopping, signals.Abort).ConfigureAwait(false);
            }
        );
        return command;
    }
}
