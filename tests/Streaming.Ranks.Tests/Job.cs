using System.Diagnostics;

namespace Streaming.Ranks.Tests;

/// <summary>A job of processes of this program, under Open MPI's launcher.</summary>
internal static class Job
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Runs a task on ranks.</summary>
    /// <returns>The launcher's exit code, and what all ranks wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(int ranks, string task) =>
        await StartAsync(
            "mpirun",
            ["-n", $"{ranks}", "--oversubscribe", "--bind-to", "none", Environment.ProcessPath!, "--rank", task],
            []
        );

    /// <summary>Runs a task without a launcher.</summary>
    public static async Task<(int ExitCode, string Output)> RunAloneAsync(string task, params (string Name, string Value)[] variables) =>
        await StartAsync(Environment.ProcessPath!, ["--rank", task], variables);

    private static async Task<(int ExitCode, string Output)> StartAsync(
        string program,
        string[] arguments,
        (string Name, string Value)[] variables
    )
    {
        var information = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Without these Open MPI does not run as root, as in a container.
        information.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
        information.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        information.Environment["TERM"] = "dumb";
        foreach ((string name, string value) in variables)
        {
            information.Environment[name] = value;
        }

        using Process process = Process.Start(information)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The job did not end: {await output}{await errors}");
        }

        return (process.ExitCode, await output + await errors);
    }
}
