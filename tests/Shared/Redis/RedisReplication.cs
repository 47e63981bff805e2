namespace Streaming.Tests;

/// <summary>A primary with replicas, and sentinels on request; removed with its folder.</summary>
internal sealed class RedisReplication : IAsyncDisposable
{
    /// <summary>The sentinels' name of the primary.</summary>
    public const string ServiceName = "main";

    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-replication-").FullName;
    private readonly List<RedisNode> _nodes = [];
    private readonly List<RedisNode> _sentinels = [];

    /// <summary>Gets the servers; the first is the initial primary.</summary>
    public IReadOnlyList<RedisNode> Nodes => _nodes;

    /// <summary>Gets the sentinels.</summary>
    public IReadOnlyList<RedisNode> Sentinels => _sentinels;

    /// <summary>Gets a connection string that names every server.</summary>
    public string Configuration => string.Join(',', _nodes.Select(node => node.EndPoint));

    /// <summary>Gets a connection string that names the sentinels and the service.</summary>
    public string SentinelConfiguration => string.Join(',', _sentinels.Select(node => node.EndPoint)) + $",serviceName={ServiceName}";

    /// <summary>Starts a primary with replicas and sentinels, and waits until they know each other.</summary>
    /// <param name="replicas">Number of replicas.</param>
    /// <param name="sentinels">Number of sentinels, 0 or 3.</param>
    /// <param name="arguments">Additional arguments of redis-server, not of the sentinels.</param>
    public static async Task<RedisReplication> StartAsync(int replicas = 1, int sentinels = 0, params string[] arguments)
    {
        RedisReplication set = new();
        try
        {
            await set.CreateAsync(replicas, sentinels, arguments);
            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a replica the primary and every other running server its replica, without notifying clients.</summary>
    public async Task PromoteAsync(RedisNode next)
    {
        await next.SendAsync("REPLICAOF", "NO", "ONE");
        foreach (RedisNode other in _nodes.Where(node => node != next && node.ProcessId != 0))
        {
            await other.SendAsync("REPLICAOF", "127.0.0.1", $"{next.Port}");
        }
    }

    /// <summary>Waits until every running replica is in sync.</summary>
    public Task WaitUntilInStepAsync() =>
        RedisCluster.UntilAsync(
            "the replicas are in step",
            async () =>
            {
                foreach (RedisNode node in _nodes.Where(node => node.ProcessId != 0))
                {
                    if (
                        await node.InfoAsync("replication", "role") == "slave"
                        && await node.InfoAsync("replication", "master_link_status") != "up"
                    )
                    {
                        return false;
                    }
                }

                return true;
            }
        );

    /// <summary>Waits until the sentinels name a primary other than <paramref name="former"/>.</summary>
    public async Task<RedisNode> WaitForFailOverAsync(RedisNode former)
    {
        RedisNode? next = null;
        await RedisCluster.UntilAsync(
            "the sentinels have promoted a replica",
            async () =>
            {
                object?[] address = (object?[])(await _sentinels[0].SendAsync("SENTINEL", "get-master-addr-by-name", ServiceName))!;
                next = _nodes.First(node => $"{node.Port}" == (string)address[1]!);
                return next != former && await next.InfoAsync("replication", "role") == "master";
            }
        );
        return next!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_sentinels.Concat(_nodes).Select(node => node.DisposeAsync().AsTask()));
        Directory.Delete(_folder, recursive: true);
    }

    private async Task CreateAsync(int replicas, int sentinels, string[] arguments)
    {
        _nodes.Add(await RedisNode.StartAsync(Path.Combine(_folder, "node0"), node => [.. node.Common(), .. arguments]));
        for (int i = 1; i <= replicas; i++)
        {
            _nodes.Add(
                await RedisNode.StartAsync(
                    Path.Combine(_folder, $"node{i}"),
                    node => [.. node.Common(), "--replicaof", $"127.0.0.1 {_nodes[0].Port}", .. arguments]
                )
            );
        }

        await WaitUntilInStepAsync();
        for (int i = 0; i < sentinels; i++)
        {
            _sentinels.Add(await RedisNode.StartAsync(Path.Combine(_folder, $"sentinel{i}"), node => [Sentinel(node), "--sentinel"]));
        }

        await RedisCluster.UntilAsync(
            "the sentinels know each other",
            async () =>
            {
                foreach (RedisNode sentinel in _sentinels)
                {
                    string known = await sentinel.InfoAsync("sentinel", "master0");
                    if (!known.Contains($"slaves={replicas},sentinels={sentinels}", StringComparison.Ordinal))
                    {
                        return false;
                    }
                }

                return true;
            }
        );
    }

    /// <summary>A sentinel rewrites its configuration file, so a restarted one keeps its state.</summary>
    private string Sentinel(RedisNode node)
    {
        string file = Path.Combine(node.Folder, "sentinel.conf");
        if (!File.Exists(file))
        {
            File.WriteAllText(
                file,
                $"""
                port {node.Port}
                bind 127.0.0.1
                dir {node.Folder}
                logfile {Path.Combine(node.Folder, "log")}
                sentinel monitor {ServiceName} 127.0.0.1 {_nodes[0].Port} 2
                sentinel down-after-milliseconds {ServiceName} 1500
                sentinel failover-timeout {ServiceName} 5000
                sentinel parallel-syncs {ServiceName} 1

                """
            );
        }

        return file;
    }
}
