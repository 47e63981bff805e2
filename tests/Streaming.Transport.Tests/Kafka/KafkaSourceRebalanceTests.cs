using Confluent.Kafka;
using Streaming.Core;
using Xunit;

namespace Streaming.Transport.Tests;

/// <summary>Other members join and leave the group: positions are the live ones, and nothing is read twice or left out.</summary>
public class KafkaSourceRebalanceTests
{
    [Fact]
    public async Task Run_MemberJoinsAndLeaves_EveryEventStillCountsOnce()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        kafka.Produce(0, 1000);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(1000);
        await using (await OtherMember.JoinAsync(kafka))
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 2, "half of the partitions are taken away");
            kafka.Produce(1000, 1000);
            Batch batch = await source.NextAsync();

            // What was taken away keeps its live position in every batch, and so in every checkpoint.
            Assert.Equal(4, batch.Positions.Count);
        }

        kafka.Produce(2000, 1000);
        await source.ReadAsync(3000);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(3000, source.Examples);
        Assert.Equal(0, source.Counts.Duplicates); // not the dedup window: the positions
    }

    [Fact]
    public async Task Run_MembersComeAndGoWhilePaused_GoesOnAfterwards()
    {
        using KafkaHarness kafka = new(partitions: 4, assignment: KafkaAssignment.Group);
        kafka.Produce(0, 2000);
        await using RunningSource source = kafka.Start(queue: 1);
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsPaused, "the source pauses");
        await using (await OtherMember.JoinAsync(kafka))
        {
            await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 2, "half of the partitions are taken away");
        }

        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 4, "all partitions have come back");
        Assert.True(source.Source.Status.IsPaused);
        await source.ReadAsync(2000);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(2000, source.Examples);
        Assert.Equal(0, source.Counts.Duplicates);
    }

    /// <summary>A member of the group that holds partitions and polls, as another worker would.</summary>
    private sealed class OtherMember : IAsyncDisposable
    {
        private readonly IConsumer<Ignore, Ignore> _consumer;
        private readonly CancellationTokenSource _stop = new();
        private readonly TaskCompletionSource _assigned = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _loop;

        private OtherMember(KafkaHarness kafka)
        {
            ConsumerConfig config = new() { BootstrapServers = kafka.Options.BootstrapServers, GroupId = kafka.Options.GroupId, SessionTimeoutMs = 6000, HeartbeatIntervalMs = 200, EnableAutoCommit = false };
            _consumer = new ConsumerBuilder<Ignore, Ignore>(config).SetPartitionsAssignedHandler((_, _) => _assigned.TrySetResult()).Build();
            _consumer.Subscribe(kafka.Options.InteractionsTopic);
            _loop = Task.Run(Poll);
        }

        public static async Task<OtherMember> JoinAsync(KafkaHarness kafka)
        {
            OtherMember member = new(kafka);
            await member._assigned.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            return member;
        }

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
}
