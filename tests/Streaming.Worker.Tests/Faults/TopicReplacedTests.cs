using Streaming.Contracts;
using Streaming.Transport.Kafka;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>The events' topic is deleted and recreated under a running worker.</summary>
public class TopicReplacedTests
{
    private const int New = 300;

    [Fact]
    public async Task Run_ToBeSkipped_ReturnsToTheCheckpointAndCountsEveryNewEventOnce()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 1);
        bench.Settings["STREAMING__Kafka__SkipMissing"] = "true";
        long read = await ReadAllAsync(bench);
        await using RunningWorker worker = bench.StartWorker();
        await RecreateAsync(bench, worker);
        await worker.UntilAsync(
            w => w.Log.Has("Returning to the last checkpoint: Topic 'interactions' was deleted and recreated"),
            "the worker returns"
        );
        await worker.UntilAsync(w => w.Status.Counts.Read >= read + New, "the new topic is read");
        Assert.True(await worker.TerminateAsync() == ExitCode.Success, worker.Log.Text);
        Assert.Equal(read + New, worker.Status.Counts.Read);
        Assert.True(worker.Log.Has("continuing at its beginning (STREAMING__Kafka__SkipMissing)"), worker.Log.Text);
        Assert.False(worker.Log.Has("stopping the worker"), worker.Log.Text);
    }

    [Fact]
    public async Task Run_NotToBeSkipped_EndsWithBadInput()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 1);
        await ReadAllAsync(bench);
        await using RunningWorker worker = bench.StartWorker();
        await RecreateAsync(bench, worker);
        Assert.Equal(ExitCode.BadInput, await worker.EndAsync());
        Assert.StartsWith("Topic 'interactions' was deleted and recreated (id ", worker.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "or set STREAMING__Kafka__SkipMissing=true to continue from the beginning of the new topic.",
            worker.Message,
            StringComparison.Ordinal
        );
    }

    // Everything sent is trained, and a checkpoint holds it.
    private static async Task<long> ReadAllAsync(FaultBench bench)
    {
        await using RunningWorker first = bench.StartWorker();
        await bench.UntilSentAsync(500);
        long read = (await bench.EndStreamAsync()).Totals.Read;
        await first.UntilAsync(w => w.Status.Counts.Read >= read, "everything is read");
        Assert.Equal(ExitCode.Success, await first.TerminateAsync());
        return read;
    }

    private static async Task RecreateAsync(FaultBench bench, RunningWorker worker)
    {
        await worker.UntilAsync(static w => w.Status.Source.Partitions.Count == 1, "the topic is read");
        bench.Broker.DeleteTopic("interactions");
        bench.Broker.CreateTopic("interactions", 1);
        using EventProducer producer = new(bench.Values.Kafka);
        for (int i = 0; i < New; i++)
        {
            producer.Send(
                new Interaction
                {
                    UserId = $"new-{i % 7}",
                    ItemId = $"new-{i % 5}",
                    Type = "click",
                    EventTimeMs = 1_700_000_000_000 + i,
                    EventId = $"new-{i}",
                }
            );
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }
}
