using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Streaming.Serving.Clients;

namespace Streaming.Serving.Hosting;

/// <summary>The connection to Redis: one of its own by the options' connection string, or the container's.</summary>
internal sealed class StoreConnection : IDisposable
{
    private readonly ConnectionMultiplexer? _own;

    public StoreConnection(IServiceProvider services, IOptions<StreamingServingOptions> options)
    {
        IConnectionMultiplexer connection;
        if (options.Value.Redis is { } text)
        {
            var configuration = ConfigurationOptions.Parse(text);

            // A store that is away when the application starts is one that comes back.
            configuration.AbortOnConnectFail = false;
            connection = _own = ConnectionMultiplexer.Connect(configuration);
        }
        else
        {
            connection =
                services.GetService<IConnectionMultiplexer>()
                ?? throw new InvalidOperationException(
                    "AddStreamingServing found no connection to Redis: set StreamingServingOptions.Redis to a connection string, or "
                        + "register an IConnectionMultiplexer."
                );
        }

        Database = connection.GetDatabase();
    }

    public IDatabase Database { get; }

    public void Dispose() => _own?.Dispose();
}
