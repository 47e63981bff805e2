using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Lab.Embedded;
using Xunit;

namespace Streaming.Lab.Tests.Embedded;

public class LocalRedisServerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_AServer_AnswersAndLeavesNothing()
    {
        string folder;
        int process;
        await using (LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop))
        {
            (folder, process) = (server.Folder, server.ProcessId);
            using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(server.Configuration);
            Assert.True(await redis.GetDatabase().StringSetAsync("key", "value"));
        }

        Assert.False(Directory.Exists(folder));
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(process));
    }

    [Fact]
    public async Task RestartAsync_AfterAKill_IsOnTheSamePort()
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        int port = server.Port;
        await server.KillAsync();
        Assert.Equal(0, server.ProcessId);

        await server.RestartAsync(Stop);

        Assert.Equal(port, server.Port);
        using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(server.Configuration);
        Assert.True(redis.IsConnected);
    }

    [Fact]
    public async Task StartAsync_WrongArgument_SaysWhatRedisPrinted()
    {
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            LocalRedisServer.StartAsync(["--no-such-setting", "1"], Stop)
        );

        Assert.Contains("no-such-setting", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_Arguments_NamePortAndFolder()
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(
            ["--pidfile", "{folder}/{port}.pid", "--daemonize", "no"],
            Stop
        );
        using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(server.Configuration + ",allowAdmin=true");

        KeyValuePair<string, string>[] settings = await redis.GetServers()[0].ConfigGetAsync("pidfile");

        Assert.Equal($"{server.Folder}/{server.Port}.pid", settings[0].Value);
    }
}
