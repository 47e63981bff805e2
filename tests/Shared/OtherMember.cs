using Confluent.Kafka;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Tests;

/// <summary>A consumer group member that holds partitions and polls, like another worker.</summary>
internal sealed class OtherMember : IAsyncDisposable
{
    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _assigned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;

    private OtherMember(KafkaOptions kafka)
    {
        ConsumerConfig config = new()
        {
            BootstrapServers = kafka.BootstrapServers,
            GroupId = kafka.GroupId,
            EnableAutoCommit = false,
        };
        if (kafka.GroupProtocol == KafkaGroupProtocol.Consumer)
        {
            config.GroupProtocol = GroupProtocol.Consumer;
        }
        else
        {
            config.SessionTimeoutMs = (int)kafka.SessionTimeout.TotalMilliseconds;
            config.HeartbeatIntervalMs = 200;
        }

        _consumer = new ConsumerBuilder<Ignore, Ignore>(config).SetPartitionsAssignedHandler((_, _) => _assigned.TrySetResult()).Build();
        _consumer.Subscribe(kafka.InteractionsTopic);
        _loop = Task.Run(Poll);
    }

    /// <summary>Joins, and waits for partitions.</summary>
    public static async Task<OtherMember> JoinAsync(KafkaOptions kafka, CancellationToken cancellationToken)
    {
        OtherMember member = new(kafka);
        await member._assigned.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        return member;
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
            _consumer.Consume(50);
        }
    }
}
