using Streaming.Learning.Checkpoints;
using Streaming.Models.State;
using Streaming.Worker.Failures;
using Streaming.Worker.Run;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>One partition and full batches: then only the stream decides what each step trains on.</summary>
public sealed class ResumeTests
{
    private const int Events = 2_500;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AbortedAndResumed_EqualsARunThatNeverStopped_ToTheBit(int checkpoints)
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 20_000, partitions: 1);
        bench.Settings["STREAMING__Batching__Linger"] = "-1ms";
        bench.Settings["STREAMING__Checkpoint__Interval"] = "1d";
        bench.Settings["STREAMING__Checkpoint__Keep"] = "100";
        bench.Settings["STREAMING__Training__Replay__Ratio"] = "0.5";
        bench.Stream.AllowUpTo(Events);
        await bench.UntilSentAsync(Events);
        await bench.EndStreamAsync();
        string whole = await RunAsync(bench, "whole", abortAfter: 0);
        string resumed = await RunAsync(bench, "resumed", checkpoints);

        // Except the refresh counter, which depends on the clock.
        Checkpoint expected = Checkpoint.Open(whole),
            actual = Checkpoint.Open(resumed);
        Assert.Equal(expected.Manifest.Counters with { Refreshes = 0 }, actual.Manifest.Counters with { Refreshes = 0 });
        Assert.Equal(expected.Manifest.Positions, actual.Manifest.Positions);
        Assert.True(expected.Manifest.Step > 60, $"only {expected.Manifest.Step} steps");
        using TensorSource expectedEngine = expected.OpenEngine(),
            actualEngine = actual.OpenEngine();
        Assert.Empty(Differences(expectedEngine, actualEngine));
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "ingest.bin")), File.ReadAllBytes(Path.Combine(resumed, "ingest.bin")));
    }

    /// <summary>Names of tensors that are not bit-identical, and where they first differ.</summary>
    private static IEnumerable<string> Differences(TensorSource expected, TensorSource actual)
    {
        Assert.Equal(expected.Tensors.Select(t => t.Name), actual.Tensors.Select(t => t.Name));
        for (int i = 0; i < expected.Tensors.Count; i++)
        {
            byte[] a = new byte[expected.Tensors[i].ByteCount()],
                b = new byte[a.Length];
            expected.Read(i, 0, a);
            actual.Read(i, 0, b);
            int same = a.AsSpan().CommonPrefixLength(b);
            if (same < a.Length)
            {
                yield return $"{expected.Tensors[i].Name} differs from byte {same} of {a.Length} on";
            }
        }
    }

    /// <summary>Reads the stream to its end, with one abort after this many checkpoints; returns the last checkpoint.</summary>
    private static async Task<string> RunAsync(FaultBench bench, string name, int abortAfter)
    {
        bench.Settings["STREAMING__Redis__Model"] = name;
        bench.Settings["STREAMING__Checkpoint__Folder"] = Path.Combine(bench.Folder, name);
        if (abortAfter > 0)
        {
            // Small steps up to the abort: the queue is short, so the abort hits the middle of the stream.
            bench.Settings["STREAMING__Pipeline__BatchQueue"] = "1";
            await using RunningWorker first = Start(bench);
            await first.UntilAsync(_ => Store(bench).List().Count >= abortAfter, "that many checkpoints are there");
            Assert.Equal(ExitCode.Aborted, await first.AbortAsync());
            Assert.True(Store(bench).FindNewest()!.Manifest.Positions[0].NextOffset < Events, "aborted in the middle");
        }

        await using RunningWorker worker = Start(bench);

        // A worker that is stopped leaves read but unbatched records to the next one: stopping it earlier, with more
        // left than a batch holds, would compare two different streams.
        int batch = bench.Values.Batching.BatchSize;
        await worker.UntilAsync(
            w => w.Status.Source.Partitions.Count > 0 && w.Status.Source.Lag == 0 && w.Status.Counts.Read > Events - batch,
            "less than a batch is left"
        );
        Assert.Equal(ExitCode.Success, await worker.TerminateAsync());
        return Store(bench).List()[0];
    }

    /// <summary>Checkpoints by number of batches, not by the clock, which would end batches early.</summary>
    private static RunningWorker Start(FaultBench bench)
    {
        WorkerOptions values = bench.Values;
        return new RunningWorker(values with { Batching = values.Batching with { CheckpointBatches = 15 } });
    }

    private static CheckpointStore Store(FaultBench bench) => new(bench.Checkpoints, 100, TimeProvider.System, static _ => { });
}
