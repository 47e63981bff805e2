using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using Streaming.Tests.Kafka;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>A redis-server that ends with this process, however it ends.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly Process _process;

    private RedisServer(Process process, string configuration, ConnectionMultiplexer connection)
    {
        _process = process;
        Configuration = configuration;
        Connection = connection;
    }

    public string Configuration { get; }

    public ConnectionMultiplexer Connection { get; }

    public static async Task<RedisServer> StartAsync()
    {
        string port = FreePorts.Take(1)[0].ToString(CultureInfo.InvariantCulture);
        Process process = ChildProcesses.Start(
            new ProcessStartInfo(
                "redis-server",
                ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath()]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        );
        new ProcessLog().Follow(process);
        string configuration = "127.0.0.1:" + port;
        return new RedisServer(
            process,
            configuration,
            await ConnectionMultiplexer.ConnectAsync(configuration + ",connectRetry=20,connectTimeout=2000")
        );
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        _process.Signal(UnixSignal.Kill);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
