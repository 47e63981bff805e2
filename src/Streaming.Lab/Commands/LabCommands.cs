using System.CommandLine;

namespace Streaming.Lab.Commands;

/// <summary>The commands of `streaming-lab`: for laptops and CI.</summary>
internal static class LabCommands
{
    /// <summary>The root command with all commands.</summary>
    public static RootCommand Create() =>
        new(
            "Runs Streaming on one machine without your Kafka or Redis, and evaluates models on event logs. Settings are those of "
                + "`streaming`: see `streaming config`."
        )
        {
            DemoCommand.Create(),
            ReplayCommand.Create(),
            BacktestCommand.Create(),
            SimulateCommand.Create(),
        };
}
