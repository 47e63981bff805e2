using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Streaming.Transport.Redis.Access;

/// <summary>The servers behind a connection that take writes: what they say of themselves, and whether replicas follow them.</summary>
public sealed class StoreServers(IConnectionMultiplexer connection)
{
    private static readonly TimeSpan ConfirmLimit = TimeSpan.FromMilliseconds(500);

    /// <summary>INFO inside a script: as a command the client would ask for its admin mode.</summary>
    private const string Survey = "return redis.call('INFO', 'memory') .. redis.call('INFO', 'replication')";

    /// <summary>Asks every server that takes writes.</summary>
    /// <exception cref="RedisException">One could not be asked.</exception>
    public async Task<IReadOnlyList<StoreServer>> ReadAsync(CancellationToken cancellationToken = default)
    {
        StoreServer?[] servers = await Task.WhenAll(Primaries().Select(server => ReadAsync(server, cancellationToken)))
            .ConfigureAwait(false);
        return [.. servers.OfType<StoreServer>()];
    }

    /// <summary>Waits until a replica of each server has all that was written on this connection before.</summary>
    /// <returns>Servers with replicas of which none has said so within half a second, and servers that do not answer.</returns>
    public async Task<IReadOnlyList<EndPoint>> UnconfirmedAsync(CancellationToken cancellationToken = default)
    {
        EndPoint?[] unconfirmed = await Task.WhenAll(
                Primaries()
                    .Select(async server =>
                    {
                        try
                        {
                            StoreServer? state = await ReadAsync(server, cancellationToken).ConfigureAwait(false);
                            return state is not { Replicas: > 0 } || await WaitAsync(server, cancellationToken).ConfigureAwait(false) > 0
                                ? null
                                : server.EndPoint;
                        }
                        catch (Exception error) when (error is RedisException or TimeoutException)
                        {
                            return server.EndPoint; // in the middle of a fail-over: it confirms nothing
                        }
                    })
            )
            .ConfigureAwait(false);
        return [.. unconfirmed.OfType<EndPoint>()];
    }

    private static async Task<long> WaitAsync(IServer server, CancellationToken cancellationToken) =>
        (long)await server.ExecuteAsync("WAIT", 1, (long)ConfirmLimit.TotalMilliseconds).WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Asks one server; null when it says that it is a replica, which the client may not have learned yet.</summary>
    private static async Task<StoreServer?> ReadAsync(IServer server, CancellationToken cancellationToken)
    {
        string info =
            (string?)await server.ExecuteAsync("EVAL", Survey, 0).WaitAsync(cancellationToken).ConfigureAwait(false) ?? string.Empty;
        var lines = info.Split("\r\n")
            .Select(line => line.Split(':', 2))
            .Where(pair => pair.Length == 2)
            .GroupBy(pair => pair[0], StringComparer.Ordinal)
            .ToDictionary(pairs => pairs.Key, pairs => pairs.First()[1], StringComparer.Ordinal);
        return lines.GetValueOrDefault("role") == "slave"
            ? null
            : new StoreServer(
                server.EndPoint,
                lines.GetValueOrDefault("maxmemory_policy", string.Empty),
                Number(lines, "maxmemory"),
                (int)Number(lines, "connected_slaves")
            );
    }

    private static long Number(Dictionary<string, string> lines, string name) =>
        long.TryParse(lines.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    private IEnumerable<IServer> Primaries() =>
        connection.GetServers().Where(server => server.IsConnected && !server.IsReplica && server.ServerType != ServerType.Sentinel);
}
