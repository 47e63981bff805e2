using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>A standby that takes over.</summary>
public sealed class TakeoverTests(KafkaServers servers)
{
    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Leader_KilledUnderLoad_TheStandbyContinuesFromItsCheckpoint(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await using WorkerProcess leader = bench.StartWorker();
        bench.Ledger.Stream(400);
        await leader.UntilReadAsync(400);
        await using WorkerProcess standby = bench.StartWorker();
        await standby.UntilLoggedAsync("standing by");
        await leader.UntilAsync(_ => Task.FromResult(bench.Kept() > 400), "a checkpoint is written");

        await leader.KillAsync();
        standby.Before = bench.Kept();
        await standby.UntilReadAsync(standby.Before + 800);
        await bench.Ledger.EndStreamAsync();

        await bench.FinishAsync(standby);
    }
}
