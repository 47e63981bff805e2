using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Transactional producers: aborted records have no effect, and do not count as lag.</summary>
public sealed class TransactionTests(KafkaServers servers)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Aborted_HasNoEffectAndLeavesNoLag(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await using Ledger committed = Transactional(bench, "committed");
        await using Ledger aborted = Transactional(bench, "aborted");
        await using WorkerProcess worker = bench.StartWorker();

        // Each abort comes after the commit and its records are interleaved: the last record in the log is never an event.
        for (int round = 0; round < 4; round++)
        {
            aborted.Producer.BeginTransaction();
            committed.Producer.BeginTransaction();
            await aborted.SendAsync(50);
            await committed.SendAsync(100);
            await aborted.SendAsync(50);
            committed.Producer.CommitTransaction(Limit);
            aborted.Producer.AbortTransaction(Limit);
        }

        await bench.FinishAsync(worker, committed.Expected());
    }

    [Fact]
    public async Task Open_IsWaitedFor()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        await using Ledger open = Transactional(bench, "open");
        await using WorkerProcess worker = bench.StartWorker();
        await bench.Ledger.SendAsync(200);
        await worker.UntilReadAsync(200);

        open.Producer.BeginTransaction();
        await open.SendAsync(200);
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.Equal(200, await worker.EventsAsync());
        open.Producer.CommitTransaction(Limit);
        await worker.UntilReadAsync(400);
        bench.Ledger.Add(open);

        await bench.FinishAsync(worker);
    }

    private static Ledger Transactional(KafkaBench bench, string name)
    {
        var ledger = new Ledger(
            bench.Cluster.Client,
            bench.Events,
            producer =>
            {
                producer.TransactionalId = $"{bench.Events}-{name}";
                producer.TransactionTimeoutMs = producer.MessageTimeoutMs;
            }
        );
        ledger.Producer.InitTransactions(Limit);
        return ledger;
    }
}
