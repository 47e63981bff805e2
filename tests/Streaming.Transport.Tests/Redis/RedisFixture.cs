using StackExchange.Redis;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

/// <summary>A real server for the tests of a class. Each test uses a separate model.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private int _models;

    public LocalRedisServer Server { get; private set; } = null!;

    public ConnectionMultiplexer Connection { get; private set; } = null!;

    public IDatabase Database => Connection.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        Server = await LocalRedisServer.StartAsync(["--enable-debug-command", "yes"]);
        Connection = await RedisConnection.OpenAsync(Options());
    }

    public async ValueTask DisposeAsync()
    {
        if (Connection is not null)
        {
            RedisConnection.Close(Connection);
        }

        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }

    /// <summary>Returns options with a new model name.</summary>
    public RedisOptions Options() =>
        new()
        {
            Configuration = Server.Configuration,
            Model = $"model{Interlocked.Increment(ref _models)}",
            Partitions = 8,
            RetryDelay = TimeSpan.FromMilliseconds(5),
        };
}
