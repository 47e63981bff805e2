using System.Diagnostics;
using Streaming.Worker.Commands;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

/// <summary>An output that takes nothing is said in one line, and holds nothing up.</summary>
public sealed class StandardOutputTests
{
    [Fact]
    public async Task DiskFull_IsOneLineAndAFailure()
    {
        (int code, string errors) = await RunAsync("config > /dev/full");
        Assert.Equal(1, code);
        Assert.Equal("streaming: cannot write to standard output: No space left on device\n", errors);
    }

    [Fact]
    public async Task Closed_IsNobodyToWriteTo()
    {
        (int code, string errors) = await RunAsync("config >&-");
        Assert.Equal((0, string.Empty), (code, errors));
    }

    [Fact]
    public void FailsOnce_NothingMoreIsWrittenAndTheReasonIsKept()
    {
        var output = new StandardOutput(new Failing());
        output.WriteLine("one");
        output.WriteLine("two");
        Assert.Equal("no space left", output.Problem);
    }

    private static async Task<(int Code, string Errors)> RunAsync(string command)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "streaming");
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec '{program}' {command}");
        foreach (string name in start.Environment.Keys.Where(name => name.Contains("__", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start)!;
        string errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, errors);
    }

    private sealed class Failing : StringWriter
    {
        private bool _failed;

        public override void Write(ReadOnlySpan<char> buffer)
        {
            Assert.False(_failed);
            _failed = true;
            throw new IOException("no space left");
        }
    }
}
