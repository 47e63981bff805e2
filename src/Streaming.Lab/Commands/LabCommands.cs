using System.CommandLine;

namespace Streaming.Lab.Commands;

/// <summary>The commands of `streaming-lab`: what a laptop or a build runs.</summary>
internal static class LabCommands
{
    /// <summary>The root command with all commands.</summary>
    public static RootCommand Create() =>
        new(
            "Tries Streaming without a Kafka or Redis of yours, and evaluates it on event logs. Settings are those of `streaming`: see "
                + "`streaming config`."
        )
        {
            DemoCommand.Create(),
            ReplayCommand.Create(),
            BacktestCommand.Create(),
        };
}
