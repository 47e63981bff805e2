using System.CommandLine;
using Microsoft.Extensions.Logging;
using Streaming.Learning.Ranks;
using Streaming.Worker.Failures;
using Streaming.Worker.Logging;
using Streaming.Worker.Run;
using Streaming.Worker.Settings;
using Streaming.Worker.Shutdown;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Commands;

/// <summary>`streaming run`: trains from Kafka and publishes to Redis.</summary>
internal static class RunCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var from = new Option<string?>("--from")
        {
            Description =
                "A checkpoint, a directory of checkpoints, or the --model directory of a backtest. A model that has no checkpoint yet "
                + "starts from it: with its items, weights, memory bank and frequencies and, if it was trained on events, the "
                + "users' histories.",
            HelpName = "FOLDER",
        };
        var generation = new Option<uint?>("--generation")
        {
            Description =
                "Generation to train. Default: the one that readers use. The next number starts a new generation, which may have another "
                + "shape, from the newest checkpoint of the current one.",
            HelpName = "N",
        };
        Option<string?> file = SettingsOption.Create();
        var command = new Command(
            "run",
            "Train from Kafka and publish to Redis until SIGTERM; then drain, publish, write a checkpoint and exit with code 0."
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
                var request = new RunRequest(result.GetValue(generation), result.GetValue(from));
                return (int)await RankedRun.RunAsync(ranks => RunAsync(read, request, ranks)).ConfigureAwait(false);
            }
        );
        return command;
    }

    private static async Task<ExitCode> RunAsync(SettingsValues read, RunRequest request, Collective ranks)
    {
        WorkerOptions settings = RankedRun.OnThisHost(WorkerSettings.Options(read), ranks);
        using ILoggerFactory loggers = WorkerLogging.Create(
            settings.Log,
            settings.Telemetry,
            settings.Redis.Model,
            rank: ranks.Size > 1 ? ranks.Rank : null
        );
        SettingsLog.Notices(loggers, read);
        using var run = new WorkerRun(settings, TimeProvider.System, loggers, request, ranks: ranks);
        using var signals = new ShutdownSignals(
            settings.Pipeline.ShutdownTimeout,
            TimeProvider.System,
            static () => ProcessEnd.Now((int)ExitCode.Aborted),
            isRank: ranks.Size > 1
        );
        return await run.RunAsync(signals.Stopping, signals.Abort).ConfigureAwait(false);
    }
}
