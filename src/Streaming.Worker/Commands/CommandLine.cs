using System.CommandLine;
using System.CommandLine.Invocation;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Commands;

/// <summary>Runs a program's command line.</summary>
public static class CommandLine
{
    /// <summary>Runs the command that the arguments name. What goes wrong is one line on standard error.</summary>
    /// <param name="root">The program's commands.</param>
    /// <param name="arguments">The arguments of the process.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(RootCommand root, string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(root);
        try
        {
            ParseResult parsed = root.Parse(arguments);
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
}
