using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Streaming.Transport.Kafka.Native;

namespace Streaming.Tests.Kafka;

/// <summary>A cluster of Apache Kafka (KRaft) on the loopback address in a temporary folder; every node is broker and controller. Its
/// processes end with this one, however it ends.</summary>
internal sealed class KafkaCluster : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-kafka-").FullName;

    private readonly KafkaDistribution _kafka;

    private KafkaCluster(KafkaDistribution kafka, int nodes, bool secure)
    {
        _kafka = kafka;
        int[] ports = FreePorts.Take(3 * nodes);
        Nodes =
        [
            .. Enumerable
                .Range(0, nodes)
                .Select(id => new KafkaNode(kafka, id, _folder, ports[3 * id], ports[(3 * id) + 1], ports[(3 * id) + 2])),
        ];
        Security = secure ? new KafkaSecurity() : null;
        Client = Security?.Client(KafkaSecurity.Admin) ?? new ClientConfig();
        Client.BootstrapServers = BootstrapServers;
        Client.SocketTimeoutMs = 10_000;
        Client.ReconnectBackoffMaxMs = 1_000;
    }

    /// <summary>Gets the nodes by number.</summary>
    public IReadOnlyList<KafkaNode> Nodes { get; }

    /// <summary>Gets users and certificates; null in a plain cluster.</summary>
    public KafkaSecurity? Security { get; }

    /// <summary>Gets the address for clients: plain text, or SASL over TLS in a secure cluster.</summary>
    public string BootstrapServers => Servers(static node => node.Port);

    /// <summary>Gets the address for clients with certificates, in a secure cluster.</summary>
    public string MutualTlsServers => Servers(static node => node.MutualTlsPort);

    /// <summary>Gets the settings of a client with all rights.</summary>
    public ClientConfig Client { get; }

    /// <summary>Starts a cluster and waits until every node serves.</summary>
    /// <param name="nodes">Number of nodes. Topics have min(3, nodes) replicas, one of which may be down.</param>
    /// <param name="secure">Whether clients need <see cref="Security"/>.</param>
    /// <exception cref="InvalidOperationException">There is no distribution, or it did not start; the message contains the log.</exception>
    public static async Task<KafkaCluster> StartAsync(int nodes = 3, bool secure = false)
    {
        // Before the first client: the one that Confluent.Kafka would find by itself may be the system's, and mixing two crashes.
        KafkaLibrary.Load();
        var cluster = new KafkaCluster(KafkaDistribution.Find(), nodes, secure);
        try
        {
            await cluster.FormatAsync();
            cluster.StartNodes();
            await cluster.UntilBrokersAsync(nodes);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates an admin client.</summary>
    public IAdminClient CreateAdmin() =>
        new AdminClientBuilder(Client).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();

    /// <summary>Starts every node that is not running; returns at once.</summary>
    public void StartNodes()
    {
        foreach (KafkaNode node in Nodes)
        {
            node.Start();
        }
    }

    /// <summary>Waits until the cluster has this many brokers.</summary>
    /// <exception cref="InvalidOperationException">They did not join; the message contains the nodes' logs.</exception>
    public Task UntilBrokersAsync(int count) => UntilAsync(metadata => metadata.Brokers.Count == count, $"{count} brokers");

    /// <summary>Waits until every partition has a leader, and every replica is in sync.</summary>
    /// <exception cref="InvalidOperationException">Not reached in time; the message contains the nodes' logs.</exception>
    public Task UntilInSyncAsync() =>
        UntilAsync(
            static metadata =>
                metadata
                    .Topics.SelectMany(static topic => topic.Partitions)
                    .All(static partition => partition.Leader >= 0 && partition.InSyncReplicas.Length == partition.Replicas.Length),
            "every replica in sync"
        );

    /// <summary>Returns the leader of a partition; -1 if there is none.</summary>
    public int LeaderOf(string topic, int partition)
    {
        using IAdminClient admin = CreateAdmin();
        return admin.GetMetadata(topic, Limit).Topics[0].Partitions.Single(one => one.PartitionId == partition).Leader;
    }

    /// <summary>Runs one of Kafka's own tools against a plain cluster, for what no client library can do. Takes a second or two.</summary>
    /// <param name="className">The class, such as <c>org.apache.kafka.tools.TopicCommand</c>.</param>
    /// <param name="arguments">Its arguments besides <c>--bootstrap-server</c>.</param>
    /// <exception cref="InvalidOperationException">It failed; the message contains its output.</exception>
    public async Task RunToolAsync(string className, params IEnumerable<string> arguments)
    {
        var output = new ProcessLog();
        using Process tool = ChildProcesses.Start(
            _kafka.Program(_folder, className, ["--bootstrap-server", BootstrapServers, .. arguments])
        );
        output.Follow(tool);
        await tool.WaitForExitAsync();
        if (tool.ExitCode != 0)
        {
            throw new InvalidOperationException($"{className} ended with {tool.ExitCode}:\n{output.Text}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (KafkaNode node in Nodes)
        {
            await node.DisposeAsync();
        }

        Security?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Servers(Func<KafkaNode, int> port) => string.Join(',', Nodes.Select(node => $"127.0.0.1:{port(node)}"));

    private async Task FormatAsync()
    {
        string[] arguments =
        [
            "-t",
            KafkaUuid.New(),
            "--initial-controllers",
            string.Join(',', Nodes.Select(static node => $"{node.Id}@127.0.0.1:{node.ControllerPort}:{node.DirectoryId}")),
            .. Security is null ? [] : KafkaSecurity.FormatArguments,
        ];
        foreach (KafkaNode node in Nodes)
        {
            await File.WriteAllLinesAsync(node.SettingsFile, KafkaNodeSettings.Lines(node, Nodes, Security));
        }

        await Task.WhenAll(Nodes.Select(node => node.FormatAsync(arguments)));
    }

    private async Task UntilAsync(Func<Metadata, bool> isReached, string what)
    {
        using var limit = new CancellationTokenSource(Limit);
        using IAdminClient admin = CreateAdmin();
        while (!TryRead(admin, out Metadata? metadata) || !isReached(metadata))
        {
            if (limit.IsCancellationRequested)
            {
                throw new InvalidOperationException(
                    $"Kafka did not come to {what} within {Limit}.\n"
                        + string.Join('\n', Nodes.Select(static node => $"node {node.Id}:\n{node.Log}"))
                );
            }

            await Task.Delay(200);
        }
    }

    private static bool TryRead(IAdminClient admin, [NotNullWhen(true)] out Metadata? metadata)
    {
        try
        {
            metadata = admin.GetMetadata(TimeSpan.FromSeconds(5));
            return true;
        }
        catch (KafkaException)
        {
            metadata = null;
            return false;
        }
    }
}
