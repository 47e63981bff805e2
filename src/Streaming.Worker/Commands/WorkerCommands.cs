using System.CommandLine;

namespace Streaming.Worker.Commands;

/// <summary>The commands of `streaming`: for production.</summary>
internal static class WorkerCommands
{
    /// <summary>The root command with all commands.</summary>
    public static RootCommand Create() =>
        new(
            "Trains item embeddings on a live event stream and keeps a serving tier fresh. Settings are environment variables or a "
                + "file (--settings); `streaming config` prints them."
        )
        {
            RunCommand.Create(),
            ServeCommand.Create(),
            HealthCommand.Create(),
            ConfigCommand.Create(),
            InspectCommand.Create(),
            ExportCommand.Create(),
            EncodeCommand.Create(),
            GenerationCommand.Create(),
            DeadLettersCommand.Create(),
        };
}
