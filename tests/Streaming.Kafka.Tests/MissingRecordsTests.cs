using System.Globalization;
using Confluent.Kafka;
using Streaming.Kafka.Tests.Bench;
using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Records that the broker deletes before they are read.</summary>
public sealed class MissingRecordsTests(KafkaServers servers)
{
    private const int Deleted = 137;

    [Fact]
    public async Task DeletedWhileDown_IsRefusedWithTheNumber()
    {
        await using KafkaBench bench = await StopAndDeleteAsync(Reading.Static);
        await using WorkerProcess worker = bench.StartWorker();

        Assert.Equal(65, await worker.WaitForExitAsync());
        Assert.Contains(Deleted.ToString(CultureInfo.InvariantCulture), worker.Log, StringComparison.Ordinal);
        Assert.Contains(bench.Events, worker.Log, StringComparison.Ordinal);
        bench.Note();
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task DeletedWhileDown_IsSkippedAndCountedWhereThatIsAllowed(Reading reading)
    {
        await using KafkaBench bench = await StopAndDeleteAsync(reading);
        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Kafka__SkipMissing", "true"));
        await worker.UntilLoggedAsync(Deleted.ToString(CultureInfo.InvariantCulture));

        await bench.FinishAsync(worker, bench.Ledger.Expected(static sent => sent.Offset is < 200 or >= 200 + Deleted), gone: Deleted);
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Consumer)]
    public async Task DeletedWhileFrozen_IsSkippedAndCountedToTheRecord(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 1);
        bench.Settings["STREAMING__Redis__LeaseDuration"] = "1m";
        await bench.Ledger.SendAsync(200);
        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Kafka__SkipMissing", "true"));
        await worker.UntilReadAsync(200);

        long end = await FreezeAndDeleteAsync(bench, worker);
        await worker.UntilAsync(static async one => await one.MetricAsync(KafkaBench.MissingMetric) > 0, "the missing records are counted");
        long gone = (long)await worker.MetricAsync(KafkaBench.MissingMetric);

        // Records already in flight from the broker were read; from there to the first remaining record there is nothing.
        await bench.FinishAsync(worker, bench.Ledger.Expected(sent => sent.Offset < end - gone || sent.Offset >= end), gone);
    }

    [Fact]
    public async Task DeletedWhileFrozen_IsRefusedWithTheNumber()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, partitions: 1);
        bench.Settings["STREAMING__Redis__LeaseDuration"] = "1m";
        await bench.Ledger.SendAsync(200);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(200);

        long end = await FreezeAndDeleteAsync(bench, worker);

        Assert.Equal(65, await worker.WaitForExitAsync());
        Assert.Contains(end.ToString(CultureInfo.InvariantCulture), worker.Log, StringComparison.Ordinal);
        Assert.Contains(bench.Events, worker.Log, StringComparison.Ordinal);
        bench.Note();
    }

    /// <summary>200 records read, then 400 more, of which the first are deleted.</summary>
    private async Task<KafkaBench> StopAndDeleteAsync(Reading reading)
    {
        KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 1);
        await bench.Ledger.SendAsync(200);
        await using (WorkerProcess first = bench.StartWorker())
        {
            await first.UntilReadAsync(200);
            Assert.Equal(0, await first.TerminateAsync());
        }

        await bench.Ledger.SendAsync(400);
        await bench.Admin.DeleteRecordsAsync([new TopicPartitionOffset(bench.Events, 0, 200 + Deleted)]);
        return bench;
    }

    /// <summary>While the worker is frozen, 2,000 records arrive and most are deleted.</summary>
    /// <returns>The first remaining offset.</returns>
    private static async Task<long> FreezeAndDeleteAsync(KafkaBench bench, WorkerProcess worker)
    {
        const long end = 2_000;
        worker.Signal(UnixSignal.Stop);

        // The first of them answer the worker's pending fetch; it sends no other.
        await bench.Ledger.SendAsync(200);
        await bench.Ledger.SendAsync(1_800);
        await bench.Admin.DeleteRecordsAsync([new TopicPartitionOffset(bench.Events, 0, end)]);
        worker.Signal(UnixSignal.Continue);
        return end;
    }
}
