using System.CommandLine;

namespace Streaming.Worker.Commands;

/// <summary>The commands of `streaming`: what production runs.</summary>
internal static class WorkerCommands
{
    /// <summary>The root command with all commands.</summary>
    public static RootCommand Create() =>
        new(
            "Learns item embeddings from a live event stream and keeps a serving tier fresh. Settings are environment variables, or a "
                + "file that --settings names: see `streaming config`."
        )
        {
            RunCommand.Create(),
            ServeCommand.Create(),
            HealthCommand.Create(),
            ConfigCommand.Create(),
            InspectCommand.Create(),
            ExportCommand.Create(),
            GenerationCommand.Create(),
            DeadLettersCommand.Create(),
        };
}
