using System.Diagnostics;
using Streaming.Worker.Tests.Layout;
using Xunit;

namespace Streaming.Worker.Tests.Readers;

/// <summary>The readers in other languages pass their own tests (tests/Readers), which read the vectors of the specification.</summary>
public class OtherLanguagesTests
{
    private static readonly string Folder = Path.Combine(RepositoryLayoutTests.Root(), "tests", "Readers");

    [Fact]
    public async Task Python_ReadsEveryVectorOfThePage()
    {
        (int code, string output) = await RunAsync("python3", "-B", "-m", "unittest", "-v", "test_streaming_values");

        Assert.True(code == 0, output);
        Assert.Matches("Ran [1-9][0-9]* tests", output);
    }

    [Fact]
    public async Task TypeScript_ReadsEveryVectorOfThePage()
    {
        // The browser tests bring a Node that runs TypeScript.
        string node = Path.Combine(AppContext.BaseDirectory, ".playwright", "node", "linux-x64", "node");
        (int code, string output) = await RunAsync(node, "--test", "streaming-values.test.ts");

        Assert.True(code == 0, output);
        Assert.Matches("pass [1-9]", output);
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = Folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }
}
