using System.Diagnostics;
using Streaming.Worker.Commands;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

/// <summary>Too few open files are said at the start, in words, and not by assemblies that seem to be missing.</summary>
public sealed class OpenFilesTests
{
    [Theory]
    [InlineData("Max open files            64                   64                   files     ", 64)]
    [InlineData("Max open files            1024                 524288               files     ", null)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max processes             64                   64                   processes ", null)]
    public void Problem_IsTheSoftLimitWhereItIsTooLow(string line, int? expected) =>
        Assert.Equal(
            expected is null ? string.Empty : $"the limit of open files is {expected} (ulimit -n, LimitNOFILE=); at least 512 are needed",
            OpenFiles.Problem(["Limit                     Soft Limit           Hard Limit           Units     ", line])
        );

    [Fact]
    public async Task Run_WithALimitOf64_EndsWithOneLine()
    {
        var information = new ProcessStartInfo("/bin/sh") { RedirectStandardError = true, RedirectStandardOutput = true };
        information.ArgumentList.Add("-c");
        information.ArgumentList.Add($"ulimit -n 64; exec {Path.Combine(AppContext.BaseDirectory, "streaming")} config");
        using Process process = Process.Start(information)!;
        string said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("streaming: the limit of open files is 64 (ulimit -n, LimitNOFILE=); at least 512 are needed\n", said);
        Assert.Equal(1, process.ExitCode);
    }
}
