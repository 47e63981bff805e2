using System.CommandLine;
using System.CommandLine.Invocation;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Commands;

/// <summary>Runs a program's command line.</summary>
public static class CommandLine
{
    /// <summary>How long to wait for standard error to accept the last line.</summary>
    private static readonly TimeSpan SayLimit = TimeSpan.FromSeconds(1);

    /// <summary>Runs the command that the arguments name. An expected failure is one line on standard error.</summary>
    /// <param name="root">The program's commands.</param>
    /// <param name="arguments">The arguments of the process.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(RootCommand root, string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (OpenFiles.Problem() is { Length: > 0 } problem)
        {
            Say(problem);
            return (int)ExitCode.Failure;
        }

        StandardOutput? output = null;
        if (Console.IsOutputRedirected)
        {
            output = new StandardOutput();
            Console.SetOut(output);
        }

        int code = await InvokeAsync(root, arguments).ConfigureAwait(false);
        if (output is { Problem.Length: > 0 } && code == (int)ExitCode.Success)
        {
            Say($"cannot write to standard output: {output.Problem}");
            return (int)ExitCode.Failure;
        }

        return code;
    }

    private static async Task<int> InvokeAsync(RootCommand root, string[] arguments)
    {
        try
        {
            ParseResult parsed = root.Parse(arguments);
            // This program handles signals itself: the first one drains, which takes longer than the library's own handler waits.
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            int code = await parsed.InvokeAsync(configuration).ConfigureAwait(false);
            return parsed.Action is ParseErrorAction ? (int)ExitCode.Usage : code;
        }
        catch (Exception exception)
        {
            (ExitCode code, string message) = Failure.Explain(exception);
            Say(message);
            return (int)code;
        }
    }

    private static void Say(string message) =>
        Task.Run(() =>
            {
                try
                {
                    Console.Error.WriteLine("streaming: " + message);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    // Closed or full: the exit code still reports the failure.
                }
            })
            .Wait(SayLimit);
}
