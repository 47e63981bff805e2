using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>How far a TCP connection to each server gets.</summary>
internal static class RedisReach
{
    /// <summary>Tries each server, all at once.</summary>
    /// <returns>One clause a server: refused, unknown host, no answer.</returns>
    public static async Task<string> DescribeAsync(RedisOptions options, CancellationToken cancellationToken)
    {
        EndPointCollection servers = ConfigurationOptions.Parse(options.Configuration).EndPoints;
        string[] said = await Task.WhenAll(servers.Select(server => DescribeAsync(server, options.ConnectTimeout, cancellationToken)))
            .ConfigureAwait(false);
        return servers.Count == 1
            ? said[0]
            : string.Join(", ", servers.Zip(said, static (server, words) => $"{EndPointCollection.ToString(server)}: {words}"));
    }

    private static async Task<string> DescribeAsync(EndPoint server, TimeSpan patience, CancellationToken cancellationToken)
    {
        string seconds = patience.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(server, limit.Token).ConfigureAwait(false);
            return $"it accepts connections, but does not answer as a Redis server within {seconds} s";
        }
        catch (SocketException failure)
        {
            return failure.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no connection within {seconds} s";
        }
    }
}
