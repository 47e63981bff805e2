using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis;

namespace Streaming.Lab.Demo;

/// <summary>Measures what is in a demo's Redis.</summary>
internal sealed class DemoStore(ConnectionMultiplexer redis, RedisOptions options)
{
    private IServer Server => redis.GetServer(redis.GetEndPoints()[0]);

    /// <summary>Memory that the server's data takes, in bytes.</summary>
    public async Task<long> UsedBytesAsync()
    {
        foreach (IGrouping<string, KeyValuePair<string, string>> section in await Server.InfoAsync("memory").ConfigureAwait(false))
        {
            foreach ((string name, string value) in section)
            {
                if (name == "used_memory")
                {
                    return long.Parse(value, CultureInfo.InvariantCulture);
                }
            }
        }

        return 0;
    }

    /// <summary>Number of embeddings of the generation.</summary>
    public long CountItems(uint generation, int dimension)
    {
        ItemKeySpace space = new RedisKeys(options.Model, options.Partitions).Items(
            generation,
            options.Layout == EmbeddingKeyLayout.PerWidth ? dimension : null
        );
        return Server.Keys(0, space.ScanPattern, 1000).Distinct().LongCount();
    }
}
