using Streaming.Models.Options;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>A trainer slower than the stream.</summary>
public sealed class BackpressureTests
{
    [Fact]
    public async Task TrainerSlowerThanTheStream_ReadingPausesLagGrowsAndNothingIsDropped()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        using var fast = new ManualResetEventSlim();
        ModelOptions model = bench.Values.Model;
        await using RunningWorker worker = bench.StartWorker(() =>
            new PlantedEngine(model, _ => fast.Wait(TimeSpan.FromMilliseconds(600)) || true)
        );
        await worker.UntilAsync(w => w.Status.Source is { IsPaused: true, Lag: > 1_000 }, "reading pauses and the lag shows");

        fast.Set();
        await bench.FinishAsync(worker);
    }
}
