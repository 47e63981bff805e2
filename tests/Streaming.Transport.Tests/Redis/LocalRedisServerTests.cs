using System.Diagnostics;
using Streaming.Lab.Embedded;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public class LocalRedisServerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DisposeAsync_Running_EndsTheProcessAndItsFolder()
    {
        LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        using var process = Process.GetProcessById(server.ProcessId);
        string folder = server.Folder;
        Assert.True(Directory.Exists(folder));
        await server.DisposeAsync();

        Assert.True(process.HasExited);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task StartAsync_BadArgument_SaysWhatTheServerPrinted()
    {
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            LocalRedisServer.StartAsync(["--no-such-setting", "1"], Stop)
        );
        Assert.Contains("no-such-setting", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_TwoAtATime_HavePortsOfTheirOwn()
    {
        await using LocalRedisServer a = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        await using LocalRedisServer b = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        Assert.NotEqual(a.Port, b.Port);
    }
}
