using System.Diagnostics;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Streaming.Chaos;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Serving;
using Streaming.Serving.Lookups;
using Streaming.Tests.Kafka;
using Streaming.Worker.Commands;
using Streaming.Worker.Run;
using Xunit;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>The environment of a case: private topics in a shared cluster, a private model in Redis, a folder, settings of a small
/// quick worker, and a ledger of the events.</summary>
internal sealed class KafkaBench : IAsyncDisposable
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly RedisServer _redis;
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-case-").FullName;

    private KafkaBench(KafkaCluster cluster, RedisServer redis, string name, Reading reading)
    {
        Cluster = cluster;
        _redis = redis;
        Events = name + ".events";
        Items = name + ".items";
        DeadLetters = name + ".dead-letters";
        Group = name + ".group";
        Admin = cluster.CreateAdmin();
        Ledger = new Ledger(cluster.Client, Events);
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["STREAMING__Kafka__BootstrapServers"] = cluster.BootstrapServers,
            ["STREAMING__Kafka__InteractionsTopic"] = Events,
            ["STREAMING__Kafka__ItemsTopic"] = string.Empty,
            ["STREAMING__Kafka__DeadLetterTopic"] = DeadLetters,
            ["STREAMING__Kafka__GroupId"] = Group,
            ["STREAMING__Kafka__Assignment"] = reading == Reading.Static ? "Static" : "Group",
            ["STREAMING__Kafka__SessionTimeout"] = "6s",
            ["STREAMING__Kafka__MetadataRefresh"] = "1s",
            ["STREAMING__Redis__Configuration"] = redis.Configuration,
            ["STREAMING__Redis__Model"] = name,
            ["STREAMING__Redis__LeaseDuration"] = "2s",
            ["STREAMING__Events__Weights"] = $"click=1,{EventStream.SilentType}=0",
            ["STREAMING__Events__Strict"] = "true",
            ["STREAMING__Batching__BatchSize"] = "32",
            ["STREAMING__Batching__Linger"] = "20ms",
            ["STREAMING__Batching__AllowedLateness"] = "1h",
            ["STREAMING__Model__Widths"] = "8,16",
            ["STREAMING__Model__HistoryLength"] = "10",
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__ItemCapacity"] = "1000",
            ["STREAMING__Model__BankCapacity"] = "256",
            ["STREAMING__Training__Refresh__RefreshInterval"] = "1s",
            ["STREAMING__Training__UniformNegatives"] = "64",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Pipeline__PublishInterval"] = "100ms",
            ["STREAMING__Checkpoint__Folder"] = Path.Combine(_folder, "checkpoints"),
            ["STREAMING__Checkpoint__Interval"] = "1s",
            ["STREAMING__Http__Address"] = "127.0.0.1",
            ["STREAMING__Http__Port"] = "0",
        };
        if (reading != Reading.Static)
        {
            Settings["STREAMING__Kafka__GroupProtocol"] = reading == Reading.Classic ? "Classic" : "Consumer";
        }
    }

    /// <summary>Gets the cluster.</summary>
    public KafkaCluster Cluster { get; }

    /// <summary>Gets an admin client with all rights.</summary>
    public IAdminClient Admin { get; }

    /// <summary>Gets the topic of the events.</summary>
    public string Events { get; }

    /// <summary>Gets the topic of the catalogue, which exists only after <see cref="CreateItemsAsync"/>.</summary>
    public string Items { get; }

    /// <summary>Gets the topic of dead letters.</summary>
    public string DeadLetters { get; }

    /// <summary>Gets the consumer group.</summary>
    public string Group { get; }

    /// <summary>Gets the events.</summary>
    public Ledger Ledger { get; }

    /// <summary>Gets the worker's environment.</summary>
    public Dictionary<string, string> Settings { get; }

    /// <summary>Creates the topics of events and dead letters.</summary>
    public static async Task<KafkaBench> StartAsync(
        KafkaServers servers,
        Reading reading = Reading.Static,
        int partitions = 3,
        bool secure = false
    )
    {
        var bench = new KafkaBench(await (secure ? servers.Secure : servers.Plain), await servers.Redis, servers.NextName(), reading);
        if (partitions > 0)
        {
            await bench.CreateAsync(bench.Events, partitions);
        }

        await bench.CreateAsync(bench.DeadLetters, 1);
        return bench;
    }

    /// <summary>Starts a worker.</summary>
    /// <param name="changes">Settings that differ.</param>
    public WorkerProcess StartWorker(params (string Name, string Value)[] changes)
    {
        var settings = new Dictionary<string, string>(Settings, StringComparer.Ordinal);
        foreach ((string name, string value) in changes)
        {
            settings[name] = value;
        }

        return WorkerProcess.Start(settings, Math.Max(0, Kept()));
    }

    /// <summary>Creates a topic, and waits until every broker knows it. Waits for the deletion of one with the same name.</summary>
    public async Task CreateAsync(string topic, int partitions, Dictionary<string, string>? configuration = null)
    {
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    await Admin.CreateTopicsAsync([
                        new TopicSpecification
                        {
                            Name = topic,
                            NumPartitions = partitions,
                            Configs = configuration,
                        },
                    ]);
                    return true;
                }
                catch (CreateTopicsException exception) when (exception.Results[0].Error.Code == ErrorCode.TopicAlreadyExists)
                {
                    return false;
                }
            },
            () => $"topic {topic} can be made"
        );
        await UntilTopicAsync(
            topic,
            metadata => metadata.Partitions.Count == partitions && metadata.Partitions.All(static partition => partition.Leader >= 0)
        );
    }

    /// <summary>Creates a compacted topic for the catalogue, and configures workers to read it.</summary>
    public async Task CreateItemsAsync(int partitions = 2)
    {
        await CreateAsync(
            Items,
            partitions,
            new Dictionary<string, string>
            {
                ["cleanup.policy"] = "compact",
                ["segment.ms"] = "1000",
                ["min.cleanable.dirty.ratio"] = "0.01",
                ["delete.retention.ms"] = "100",
            }
        );
        Settings["STREAMING__Kafka__ItemsTopic"] = Items;
    }

    /// <summary>Deletes a topic, and waits for the deletion.</summary>
    public async Task DeleteAsync(string topic)
    {
        await Admin.DeleteTopicsAsync([topic]);
        await UntilTopicAsync(topic, static metadata => metadata.Error.Code == ErrorCode.UnknownTopicOrPart);
    }

    /// <summary>Waits until the cluster's description of a topic satisfies the condition.</summary>
    public Task UntilTopicAsync(string topic, Func<TopicMetadata, bool> isTrue) =>
        Until.TrueAsync(
            () => Task.FromResult(isTrue(Admin.GetMetadata(topic, TimeSpan.FromSeconds(30)).Topics[0])),
            () => $"topic {topic} is as wanted"
        );

    /// <summary>Makes the next replica of each partition its leader.</summary>
    /// <returns>How many partitions have another leader than before.</returns>
    public async Task<int> MoveLeadersAsync()
    {
        List<PartitionMetadata> partitions = Admin.GetMetadata(Events, TimeSpan.FromSeconds(30)).Topics[0].Partitions;
        string plan = Path.Combine(_folder, "plan.json");
        await File.WriteAllTextAsync(
            plan,
            JsonSerializer.Serialize(
                new
                {
                    version = 1,
                    partitions = partitions.Select(partition => new
                    {
                        topic = Events,
                        partition = partition.PartitionId,
                        replicas = partition.Replicas.Skip(1).Append(partition.Replicas[0]),
                    }),
                }
            )
        );
        await Cluster.RunToolAsync(
            "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
            "--execute",
            "--reassignment-json-file",
            plan
        );
        await Admin.ElectLeadersAsync(
            ElectionType.Preferred,
            partitions.Select(partition => new TopicPartition(Events, partition.PartitionId))
        );
        await UntilTopicAsync(
            Events,
            topic =>
                topic.Partitions.TrueForAll(partition =>
                    partition.Leader == partitions.Single(old => old.PartitionId == partition.PartitionId).Replicas[1]
                )
        );
        return partitions.Count(static old => old.Leader != old.Replicas[1]);
    }

    /// <summary>
    /// Returns the node that coordinates a consumer group: the leader of the offsets partition that the group's name hashes to.
    /// </summary>
    public int CoordinatorOf(string group) =>
        Cluster.LeaderOf(
            "__consumer_offsets",
            (group.Aggregate(0, static (hash, letter) => unchecked((31 * hash) + letter)) & int.MaxValue) % 3
        );

    /// <summary>Grants a user one right.</summary>
    public Task AllowAsync(string principal, params IEnumerable<Right> rights)
    {
        AclBinding[] rules =
        [
            .. rights.Select(right => new AclBinding
            {
                Pattern = new ResourcePattern
                {
                    Type = right == Right.Group ? ResourceType.Group : ResourceType.Topic,
                    Name = NameOf(right),
                    ResourcePatternType = ResourcePatternType.Literal,
                },
                Entry = new AccessControlEntry
                {
                    Principal = principal,
                    Host = "*",
                    Operation = right == Right.DeadLetters ? AclOperation.Write : AclOperation.Read,
                    PermissionType = AclPermissionType.Allow,
                },
            }),
        ];
        return rules.Length == 0 ? Task.CompletedTask : Admin.CreateAclsAsync(rules);
    }

    /// <summary>The name of a right's resource.</summary>
    public string NameOf(Right right) =>
        right switch
        {
            Right.Events => Events,
            Right.Items => Items,
            Right.Group => Group,
            _ => DeadLetters,
        };

    /// <summary>Returns how many records of the stream the newest checkpoint covers; -1 if there is none.</summary>
    public long Kept()
    {
        var store = new CheckpointStore(Settings["STREAMING__Checkpoint__Folder"], 1, TimeProvider.System, static _ => { });
        try
        {
            return store.List() is [var newest, ..] && CheckpointReport.Of(newest) is { Verified: true, Ingest: { } ingest }
                ? ingest.Totals.Read
                : -1;
        }
        catch (IOException)
        {
            return -1; // An old one that was just deleted.
        }
    }

    /// <summary>The positions of the events' topic in a checkpoint, by partition.</summary>
    public long[] PositionsOf(string checkpoint)
    {
        long[] positions = new long[16];
        foreach (StreamPosition position in Checkpoint.Open(checkpoint).Manifest.Positions.Where(position => position.Topic == Events))
        {
            positions[position.Partition] = position.NextOffset;
        }

        return positions;
    }

    /// <summary>Lets a worker finish and publish everything, stops it, and compares the model and Redis with what was expected.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="expected">The expected effects; null: all of the ledger.</param>
    /// <param name="gone">How many others the broker had deleted; the metric must count them.</param>
    public async Task FinishAsync(WorkerProcess worker, ExpectedEffects? expected = null, long gone = 0)
    {
        expected ??= Ledger.Expected();
        await worker.UntilReadAsync(expected.Totals.Read);
        await worker.UntilCaughtUpAsync();
        await UntilPublishedAsync(worker, expected);
        double missing = await worker.MetricAsync(MissingMetric);
        int exit = await worker.TerminateAsync();
        await VerifyAsync(worker, expected, gone);
        Assert.Equal(gone, double.IsNaN(missing) ? 0 : missing);
        Assert.True(exit == 0, $"SIGTERM ended the worker with {exit}:\n{worker.Log}");
    }

    /// <summary>The metric of records that the broker had deleted before they were read.</summary>
    public const string MissingMetric = "streaming_records_missing_total";

    /// <summary>Compares the newest checkpoint and Redis with what was expected.</summary>
    public async Task VerifyAsync(WorkerProcess worker, ExpectedEffects expected, long gone = 0)
    {
        var verification = new Verification(Values());
        await verification.RunAsync(expected, _redis.Connection.GetDatabase());
        CaseTable.Add(gone, verification.Lost, verification.Duplicated, verification.Stale, Stopwatch.GetElapsedTime(_begun).TotalSeconds);
        Assert.True(
            (verification.Lost, verification.Duplicated, verification.Stale) == (0, 0, 0),
            string.Join('\n', verification.Findings) + "\n" + worker.Log
        );
        Assert.True(verification is { Items: > 10, Users: > 10 }, $"only {verification.Items} items and {verification.Users} users");
    }

    /// <summary>Records a case that ends before there is anything to compare.</summary>
    public void Note() => CaseTable.Add(0, null, null, null, Stopwatch.GetElapsedTime(_begun).TotalSeconds);

    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        Admin.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // The worker's settings that are needed to read a model.
    private WorkerOptions Values() =>
        WorkerSettings.Options(
            Settings
                .Where(static setting => !setting.Key.StartsWith("STREAMING__Kafka__", StringComparison.Ordinal))
                .ToDictionary(StringComparer.Ordinal)
        );

    /// <summary>Waits until every trained item is in Redis with a step no earlier than its last.</summary>
    private async Task UntilPublishedAsync(WorkerProcess worker, ExpectedEffects expected)
    {
        int width = Values().Model.Dimension;
        string[] ids = [.. expected.TrainedByItem.Keys];
        var reader = new EmbeddingReader(
            _redis.Connection.GetDatabase(),
            new ServingOptions { Model = Settings["STREAMING__Redis__Model"] },
            TimeProvider.System
        );
        var reads = new ItemRead[ids.Length];

        // The figures are at most one scrape old.
        double step = double.NaN;
        await worker.MetricAsync("streaming_steps");
        await worker.UntilAsync(async one => !double.IsNaN(step = await one.MetricAsync("streaming_steps")), "the step is known");
        await worker.UntilAsync(
            async _ =>
            {
                await reader.ReadAsync(ids, width, new float[ids.Length * width], reads);
                return Array.TrueForAll(reads, read => read.Status == ItemStatus.Found && read.Stamp.Step >= step);
            },
            $"every item is published as of step {step}"
        );
    }
}
