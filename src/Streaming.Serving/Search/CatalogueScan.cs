using System.Net;
using System.Runtime.CompilerServices;
using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Search;

/// <summary>The ids of all items of a generation, from all nodes, by SCAN.</summary>
internal sealed class CatalogueScan(IDatabase database, ItemKeySpace space)
{
    private const int PageSize = 2000;

    /// <summary>Ids in batches. SCAN may return an id more than once.</summary>
    /// <exception cref="RedisConnectionException">A node with some of the keys is not connected, so the result would be
    /// incomplete.</exception>
    public async IAsyncEnumerable<string[]> ReadAsync(int batch, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<string> ids = new(batch);
        foreach (IServer server in Servers())
        {
            await foreach (
                RedisKey key in server
                    .KeysAsync(database.Database, space.ScanPattern, PageSize)
                    .WithCancellation(cancellationToken)
                    .ConfigureAwait(false)
            )
            {
                if (space.TryGetId((byte[])key!, out string id))
                {
                    ids.Add(id);
                    if (ids.Count == batch)
                    {
                        yield return [.. ids];
                        ids.Clear();
                    }
                }
            }
        }

        if (ids.Count > 0)
        {
            yield return [.. ids];
        }
    }

    /// <summary>One server per part of the key space.</summary>
    private List<IServer> Servers()
    {
        IServer[] all = [.. database.Multiplexer.GetEndPoints().Select(endPoint => database.Multiplexer.GetServer(endPoint))];
        if (
            all.FirstOrDefault(static server => server is { IsConnected: true, ServerType: ServerType.Cluster })?.ClusterConfiguration is
            { } cluster
        )
        {
            return
            [
                .. cluster
                    .Nodes.Where(static node => !node.IsReplica && node.Slots.Count > 0)
                    .Select(node => Connected(all, node.EndPoint)),
            ];
        }

        IServer? one =
            all.FirstOrDefault(static server => server is { IsConnected: true, IsReplica: false })
            ?? all.FirstOrDefault(static server => server.IsConnected);
        return [one ?? throw Unconnected("No server is connected.")];
    }

    private static IServer Connected(IServer[] all, EndPoint? endPoint) =>
        all.FirstOrDefault(server => server.EndPoint.Equals(endPoint) && server.IsConnected)
        ?? throw Unconnected($"The cluster's node {endPoint} is not connected, and some of the items are on it.");

    private static RedisConnectionException Unconnected(string message) =>
        new(ConnectionFailureType.UnableToConnect, CommandFlags.None, message);
}
