using Streaming.Tests;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Run;

/// <summary>The default build, without libtorch, with settings that require it.</summary>
public class TorchEngineTests
{
    private static readonly Dictionary<string, string> Torch = new()
    {
        ["STREAMING__Training__Engine"] = "Torch",
        ["STREAMING__Http__Port"] = "0",
        ["STREAMING__Redis__Configuration"] = "127.0.0.1:1",
    };

    [Theory]
    [InlineData("run")]
    [InlineData("demo")]
    [InlineData("backtest", "--protocol", "prequential", "--events", "/nowhere/events.csv")]
    public async Task Command_NoLibtorchInTheBuild_SaysHowToGetItAndStartsNothing(params string[] arguments)
    {
        using var worker = StreamingProcess.Start(arguments, Torch);

        Assert.Equal((int)ExitCode.Unavailable, await worker.WaitForExitAsync());
        Assert.Contains("libtorch.so: cannot open shared object file", worker.Output, StringComparison.Ordinal);
        Assert.Contains("This build has no libtorch: build with -p:Torch=cpu or -p:Torch=cuda", worker.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", worker.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("/nowhere", worker.Output, StringComparison.Ordinal);
    }
}
