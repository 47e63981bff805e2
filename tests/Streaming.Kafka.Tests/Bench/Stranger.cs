using Confluent.Kafka;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>Another member of the worker's group, which holds partitions and discards what it reads.</summary>
internal sealed class Stranger : IAsyncDisposable
{
    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _rebalances;

    private Stranger(KafkaBench bench, Reading reading, string instance)
    {
        ConsumerConfig config = new(new Dictionary<string, string>(bench.Cluster.Client))
        {
            GroupId = bench.Group,
            EnableAutoCommit = false,
        };
        if (reading == Reading.Consumer)
        {
            config.GroupProtocol = GroupProtocol.Consumer;
        }
        else
        {
            config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.Range;
            config.SessionTimeoutMs = 30_000;
            config.HeartbeatIntervalMs = 200;
        }

        if (instance.Length > 0)
        {
            config.GroupInstanceId = instance;
        }

        _consumer = new ConsumerBuilder<Ignore, Ignore>(config)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .SetPartitionsAssignedHandler((_, _) => Interlocked.Increment(ref _rebalances))
            .SetPartitionsRevokedHandler((_, _) => Interlocked.Increment(ref _rebalances))
            .Build();
        _consumer.Subscribe(bench.Events);
        _loop = Task.Run(Poll);
    }

    /// <summary>Gets how often partitions were assigned to it or revoked.</summary>
    public int Rebalances => Volatile.Read(ref _rebalances);

    /// <summary>Gets the partitions that it holds.</summary>
    public int[] Partitions => [.. _consumer.Assignment.Select(static partition => partition.Partition.Value)];

    /// <summary>Joins, and waits until it holds partitions.</summary>
    public static async Task<Stranger> JoinAsync(KafkaBench bench, Reading reading, string instance = "")
    {
        Stranger stranger = new(bench, reading, instance);
        await Until.TrueAsync(() => Task.FromResult(stranger.Partitions.Length > 0), () => "the stranger is given partitions");
        return stranger;
    }

    /// <summary>Leaves the group.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _consumer.Close();
        _consumer.Dispose();
        _stop.Dispose();
    }

    private void Poll()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _consumer.Consume(50);
            }
            catch (ConsumeException)
            {
                // It only holds partitions.
            }
        }
    }
}
