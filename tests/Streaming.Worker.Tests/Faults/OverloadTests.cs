using StackExchange.Redis;
using Streaming.Chaos;
using Streaming.Core.Events;
using Streaming.Learning.Checkpoints;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

public sealed class OverloadTests
{
    [Fact]
    public async Task Sample_TooFarBehind_TrainsOnAShareKeepsEveryHistoryAndCountsWhatIsLeftOut()
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 20_000);
        bench.Settings["STREAMING__Pipeline__Overload"] = "Sample";
        bench.Settings["STREAMING__Pipeline__OverloadLag"] = "500";
        bench.Settings["STREAMING__Pipeline__OverloadAfter"] = "0s";
        bench.Settings["STREAMING__Pipeline__OverloadShare"] = "0.8";
        bench.Settings["STREAMING__Pipeline__BatchQueue"] = "1";
        await bench.UntilSentAsync(30_000);
        ExpectedEffects expected = await bench.EndStreamAsync();
        EventCounts counts;
        await using (RunningWorker worker = bench.StartWorker())
        {
            await worker.UntilAsync(
                w => w.Status.Overloaded && w.Part("load").StartsWith("degraded: too far behind, 0.8", StringComparison.Ordinal),
                "overloaded"
            );
            await worker.UntilAsync(w => w.Status.Counts.Read == expected.Totals.Read && w.Part("load") == "healthy", "caught up");
            counts = worker.Status.Counts;
            Assert.Equal(ExitCode.Success, await worker.TerminateAsync());
        }

        // Read and accounted for to the last event; duplicates and dead letters are unaffected.
        Assert.InRange(counts.Shed, 1_000, expected.Totals.Trained - 500);
        Assert.Equal(
            expected.Totals with
            {
                Trained = expected.Totals.Trained - counts.Shed,
                HistoryOnly = expected.Totals.HistoryOnly + counts.Shed,
                Shed = counts.Shed,
            },
            counts
        );
        CheckpointStore store = new(bench.Checkpoints, 3, TimeProvider.System, static _ => { });
        Assert.Equal(counts.Trained, store.FindNewest()!.Manifest.Counters.EventsTrained);

        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        var verification = new Verification(bench.Values);
        await verification.RunAsync(expected, redis.GetDatabase());
        Assert.DoesNotContain(verification.Findings, finding => finding.Contains("history of user", StringComparison.Ordinal));
        Assert.True(verification.Users > 50, $"only {verification.Users} users");

        await using RunningWorker next = bench.StartWorker();
        await next.UntilAsync(w => w.Status.Counts == counts, "the next one goes on from these counts");
    }
}
