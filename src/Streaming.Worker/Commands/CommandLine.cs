using System.CommandLine;
using System.CommandLine.Invocation;

namespace Streaming.Worker;

/// <summary>The command line of `streaming`.</summary>
internal static class CommandLine
{
    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            ParseResult parsed = Create().Parse(arguments);
            // Signals are ours: the first one drains, which takes longer than the library's own handler waits.
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            int code = await parsed.InvokeAsync(configuration).ConfigureAwait(false);
            return parsed.Action is ParseErrorAction ? (int)ExitCode.Usage : code;
        }
        catch (Exception exception)
        {
            (ExitCode code, string message) = Failure.Explain(exception);
            await Console.Error.WriteLineAsync("streaming: " + message).ConfigureAwait(false);
            return (int)code;
        }
    }

    /// <summary>The root command with all commands.</summary>
    internal static RootCommand Create() => new("Learns item embeddings from a live event stream and keeps a serving tier fresh. Settings are environment variables: see `streaming config`.")
    {
        DemoCommand.Create(),
        RunCommand.Create(),
        ServeCommand.Create(),
        ReplayCommand.Create(),
        HealthCommand.Create(),
        ConfigCommand.Create(),
        InspectCommand.Create(),
        ExportCommand.Create(),
        GenerationCommand.Create(),
        Backtest.BacktestCommand.Create(),
    };
}
