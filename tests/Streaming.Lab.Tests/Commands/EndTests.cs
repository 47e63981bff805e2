using System.Globalization;
using System.Runtime.InteropServices;
using Streaming.Tests;
using Xunit;

namespace Streaming.Lab.Tests.Commands;

/// <summary>Commands end when they are told to, whatever is down, and what they have started ends with them.</summary>
public sealed class EndTests
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Killed = 9;
    private const int Terminated = 15;

    [Theory]
    [InlineData(Hangup)]
    [InlineData(Killed)]
    public async Task Demo_EndsBySignal_ItsServerEndsToo(int signal)
    {
        Dictionary<string, string> variables = new()
        {
            ["STREAMING__Model__Widths"] = "4,8",
            ["STREAMING__Model__ItemCapacity"] = "2500",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Http__Port"] = "0",
        };
        using var demo = StreamingProcess.Start(["demo", "--rate", "50"], variables);
        await demo.WaitForLineAsync(static line => line.StartsWith("kafka ", StringComparison.Ordinal));
        int server = ChildOf(demo.Id);

        Assert.Equal(0, Kill(demo.Id, signal));
        await demo.WaitForExitAsync();

        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists($"/proc/{server}"), TimeSpan.FromMinutes(1)), $"process {server} goes on");
    }

    [Theory]
    [InlineData(Terminated, 1)]
    [InlineData(Interrupt, 2)]
    public async Task Replay_NothingAnswers_EndsBySignal(int signal, int times)
    {
        Dictionary<string, string> variables = new()
        {
            ["STREAMING__Kafka__BootstrapServers"] = "127.0.0.1:9",
            ["STREAMING__Pipeline__ShutdownTimeout"] = "2s",
        };
        using var replay = StreamingProcess.Start(["replay", "--count", "200000"], variables);
        await replay.WaitForLineAsync(static line => line.Length > 0);
        for (int i = 0; i < times; i++)
        {
            Assert.Equal(0, Kill(replay.Id, signal));
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        Assert.True(await replay.WaitForExitAsync() == 130, replay.Output);
        Assert.DoesNotContain("   at ", replay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_NothingAnswers_EndsByItselfWith69AndNamesTheAddress()
    {
        Dictionary<string, string> variables = new() { ["STREAMING__Kafka__BootstrapServers"] = "127.0.0.1:9" };
        using var replay = StreamingProcess.Start(["replay", "--count", "100"], variables);

        Assert.True(await replay.WaitForExitAsync() == 69, replay.Output);
        Assert.Contains("no answer from Kafka at 127.0.0.1:9 for", replay.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", replay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_TemporaryFolderIsMissing_IsOneLineThatNamesIt()
    {
        using var demo = StreamingProcess.Start(
            ["demo", "--count", "10", "--no-serve"],
            new Dictionary<string, string> { ["TMPDIR"] = "/nonexistent" }
        );

        Assert.True(await demo.WaitForExitAsync() == 69, demo.Output);
        Assert.Contains("none can be made in '/nonexistent/' (TMPDIR)", demo.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", demo.Output, StringComparison.Ordinal);
    }

    private static int ChildOf(int parent) =>
        Directory
            .GetDirectories("/proc")
            .Select(Path.GetFileName)
            .Where(static name => name!.All(char.IsAsciiDigit))
            .Select(static name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Single(process => ParentOf(process) == parent);

    private static int ParentOf(int process)
    {
        try
        {
            return int.Parse(
                File.ReadLines($"/proc/{process}/status").First(static line => line.StartsWith("PPid:", StringComparison.Ordinal))[5..],
                CultureInfo.InvariantCulture
            );
        }
        catch (IOException)
        {
            return 0; // Ended meanwhile.
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
