using Streaming.Learning;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

public sealed class DivergenceTests
{
    [Fact]
    public async Task Diverges_GoesBackOnceThenStopsWithItsCodeAndKeepsTheGoodCheckpoint()
    {
        await using FaultBench bench = await FaultBench.StartAsync();

        // Many parameters and nothing that draws them back: some will overflow.
        bench.Settings["Model__Widths"] = "16,64";
        bench.Settings["Model__Layers"] = "3";
        bench.Settings["Model__WeightDecay"] = "0";
        bench.Settings["Model__Beta1"] = "0";
        bench.Settings["Model__Beta2"] = "0.5";
        await using (RunningWorker good = bench.StartWorker())
        {
            await good.UntilAsync(w => w.Status.Counts.Trained > 200, "trains");
            Assert.Equal(ExitCode.Success, await good.TerminateAsync());
        }

        // Steps so large that the recurrence's eigenvalues, which are exponentials of parameters, overflow.
        bench.Settings["Training__LearningRate__Peak"] = "10";
        bench.Settings["Training__LearningRate__WarmupSteps"] = "0";
        bench.Settings["Training__MaxNonFiniteSteps"] = "2";
        bench.Settings["Checkpoint__Interval"] = "1h";
        await using RunningWorker diverging = bench.StartWorker();
        ExitCode code = await diverging.EndAsync();

        Assert.True(code == ExitCode.Diverged, $"{code}\n{diverging.Log.Text}");
        Assert.Equal(1, diverging.Log.Count("going back to the last checkpoint once"));
        Assert.Equal(2, diverging.Log.Count("Going on from checkpoint"));
        var store = new CheckpointStore(bench.Checkpoints, 3, TimeProvider.System, warning => Assert.Fail(warning));
        Assert.Equal(0, store.FindNewest()!.Manifest.Counters.NonFiniteSteps);
    }
}
