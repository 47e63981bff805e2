using System.Diagnostics;
using System.Globalization;

namespace Streaming.Tests;

/// <summary>
/// A Redis Cluster of real local processes: masters with replicas, all slots assigned, removed with its folder.
/// Failover, loss of nodes and slot migration are done by the cluster itself.
/// </summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    /// <summary>Number of slots of a cluster.</summary>
    public const int Slots = 16384;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-cluster-").FullName;
    private readonly List<RedisNode> _nodes = [];
    private readonly Dictionary<string, RedisNode> _byId = [];

    /// <summary>Gets the nodes: the initial masters, then their replicas in the same order.</summary>
    public IReadOnlyList<RedisNode> Nodes => _nodes;

    /// <summary>Gets a connection string that names every node.</summary>
    public string Configuration => string.Join(',', _nodes.Select(node => node.EndPoint));

    /// <summary>Starts a cluster and waits until every node reports it healthy and every replica is in sync.</summary>
    /// <param name="masters">Number of masters; the slots are divided evenly in order.</param>
    /// <param name="replicas">Number of replicas of each.</param>
    /// <param name="arguments">Additional arguments of redis-server.</param>
    public static async Task<RedisCluster> StartAsync(int masters = 3, int replicas = 1, params string[] arguments)
    {
        RedisCluster cluster = new();
        try
        {
            await cluster.CreateAsync(masters, replicas, arguments);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Finds the master that serves a slot, according to the first reachable node.</summary>
    public async Task<RedisNode> MasterOfAsync(int slot)
    {
        foreach (string[] line in await TableAsync())
        {
            if (line[2].Contains("master", StringComparison.Ordinal) && line.Skip(8).Any(range => Holds(range, slot)))
            {
                return _byId[line[0]];
            }
        }

        throw new InvalidOperationException($"no master serves slot {slot}");
    }

    /// <summary>Finds the replicas of a master, at least one: a master that comes back takes some gossip to become a replica.</summary>
    public async Task<IReadOnlyList<RedisNode>> ReplicasOfAsync(RedisNode master)
    {
        string id = IdOf(master);
        RedisNode[] replicas = [];
        await UntilAsync(
            "the master has a replica",
            async () =>
            {
                replicas = [.. (await TableAsync()).Where(line => line[3] == id).Select(line => _byId[line[0]])];
                return replicas.Length > 0;
            }
        );
        return replicas;
    }

    /// <summary>Promotes a replica, in agreement with its master (lossless) or by force, and waits until all nodes know.</summary>
    public async Task FailOverAsync(RedisNode replica, bool force = false)
    {
        // The master has five seconds to agree, which may be too short on a busy machine; then the replica gives up and we retry.
        long asked = 0;
        await UntilAsync(
            "the replica is master",
            async () =>
            {
                if (asked == 0 || Stopwatch.GetElapsedTime(asked) > TimeSpan.FromSeconds(6))
                {
                    asked = Stopwatch.GetTimestamp();
                    await replica.SendAsync(force ? ["CLUSTER", "FAILOVER", "TAKEOVER"] : ["CLUSTER", "FAILOVER"]);
                }

                return await replica.InfoAsync("replication", "role") == "master";
            }
        );
        await WaitUntilOkAsync();
    }

    /// <summary>Waits until every running node sees all slots served by reachable masters, and replicas are in sync.</summary>
    public Task WaitUntilOkAsync() =>
        UntilAsync(
            "the cluster is ok",
            async () =>
            {
                string? seen = null;
                foreach (RedisNode node in Running)
                {
                    string info = (string)(await node.SendAsync("CLUSTER", "INFO"))!;
                    string owners = Owners((string)(await node.SendAsync("CLUSTER", "NODES"))!);
                    seen ??= owners;
                    if (
                        !info.Contains("cluster_state:ok", StringComparison.Ordinal)
                        || owners != seen
                        || _byId.Any(pair => pair.Value.ProcessId == 0 && owners.Contains(pair.Key, StringComparison.Ordinal))
                        || (
                            await node.InfoAsync("replication", "role") == "slave"
                            && await node.InfoAsync("replication", "master_link_status") != "up"
                        )
                    )
                    {
                        return false;
                    }
                }

                return true;
            }
        );

    /// <summary>Moves a slot with its keys to another master, like redis-cli --cluster reshard: clients are redirected with ASK
    /// during the move, and with MOVED afterwards.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="target">The new master.</param>
    /// <param name="halfWay">Runs while only some of the keys have moved.</param>
    public async Task MoveSlotAsync(int slot, RedisNode target, Func<Task>? halfWay = null)
    {
        RedisNode source = await MasterOfAsync(slot);
        string text = slot.ToString(CultureInfo.InvariantCulture);
        await target.SendAsync("CLUSTER", "SETSLOT", text, "IMPORTING", IdOf(source));
        await source.SendAsync("CLUSTER", "SETSLOT", text, "MIGRATING", IdOf(target));
        for (
            bool first = true;
            await source.SendAsync("CLUSTER", "GETKEYSINSLOT", text, "5") is object?[] { Length: > 0 } keys;
            first = false
        )
        {
            await source.SendAsync(["MIGRATE", "127.0.0.1", $"{target.Port}", "", "0", "10000", "KEYS", .. keys.Cast<string>()]);
            if (first && halfWay is not null)
            {
                await halfWay();
            }
        }

        await target.SendAsync("CLUSTER", "SETSLOT", text, "NODE", IdOf(target));
        await source.SendAsync("CLUSTER", "SETSLOT", text, "NODE", IdOf(target));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Waits for a condition; an unreachable node counts as false.</summary>
    internal static async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await TryAsync(condition))
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw new TimeoutException($"waited {Limit.TotalSeconds} s until {what}");
            }

            await Task.Delay(25);
        }
    }

    private IEnumerable<RedisNode> Running => _nodes.Where(node => node.ProcessId != 0);

    private static async Task<bool> TryAsync(Func<Task<bool>> condition)
    {
        try
        {
            return await condition();
        }
        catch (Exception error)
            when (error is System.Net.Sockets.SocketException or IOException or InvalidOperationException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task CreateAsync(int masters, int replicas, string[] arguments)
    {
        IEnumerable<string> Arguments(RedisNode node) =>
            [
                .. node.Common(),
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                $"{node.BusPort}",
                "--cluster-node-timeout",
                "5000",
                "--cluster-replica-validity-factor",
                "0",
                "--cluster-announce-ip",
                "127.0.0.1",
                "--cluster-allow-replica-migration",
                "no",
                .. arguments,
            ];
        _nodes.AddRange(
            await Task.WhenAll(
                Enumerable
                    .Range(0, masters * (1 + replicas))
                    .Select(i => RedisNode.StartAsync(Path.Combine(_folder, $"node{i}"), Arguments))
            )
        );
        for (int i = 0; i < _nodes.Count; i++)
        {
            _byId[(string)(await _nodes[i].SendAsync("CLUSTER", "MYID"))!] = _nodes[i];
            await _nodes[i].SendAsync("CLUSTER", "SET-CONFIG-EPOCH", $"{i + 1}");
        }

        for (int i = 0; i < masters; i++)
        {
            await _nodes[i].SendAsync("CLUSTER", "ADDSLOTSRANGE", $"{Slots * i / masters}", $"{(Slots * (i + 1) / masters) - 1}");
        }

        foreach (RedisNode other in _nodes.Skip(1))
        {
            await _nodes[0].SendAsync("CLUSTER", "MEET", "127.0.0.1", $"{other.Port}", $"{other.BusPort}");
        }

        for (int i = masters; i < _nodes.Count; i++)
        {
            await UntilReplicaAsync(_nodes[i], _nodes[i % masters]);
        }

        await WaitUntilOkAsync();
    }

    /// <summary>A node can only replicate one that it knows, which takes some gossip.</summary>
    private Task UntilReplicaAsync(RedisNode replica, RedisNode master) =>
        UntilAsync(
            "the replica knows its master",
            async () =>
            {
                await replica.SendAsync("CLUSTER", "REPLICATE", IdOf(master));
                return true;
            }
        );

    private string IdOf(RedisNode node) => _byId.First(pair => pair.Value == node).Key;

    private async Task<IEnumerable<string[]>> TableAsync() => Lines((string)(await Running.First().SendAsync("CLUSTER", "NODES"))!);

    private static IEnumerable<string[]> Lines(string nodes) =>
        nodes.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '));

    private static string Owners(string nodes) =>
        string.Join(
            ';',
            Lines(nodes)
                .Where(line => line[2].Contains("master", StringComparison.Ordinal) && line.Length > 8)
                .Select(line => $"{line[0]} {string.Join(' ', line.Skip(8).Where(range => range[0] != '['))}")
                .Order(StringComparer.Ordinal)
        );

    private static bool Holds(string range, int slot)
    {
        if (range[0] == '[')
        {
            return false; // not yet known
        }

        string[] ends = range.Split('-');
        return slot >= int.Parse(ends[0], CultureInfo.InvariantCulture) && slot <= int.Parse(ends[^1], CultureInfo.InvariantCulture);
    }
}
