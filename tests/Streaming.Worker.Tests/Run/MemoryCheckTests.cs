using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Tests;
using Streaming.Worker.Run;
using Xunit;

namespace Streaming.Worker.Tests.Run;

/// <summary>Too little memory is one line with both figures, before the lease.</summary>
public sealed class MemoryCheckTests
{
    [Fact]
    public async Task TooLittle_Exits78WithBothFiguresAndTheSettingsThatCount()
    {
        Dictionary<string, string> variables = new()
        {
            ["DOTNET_GCHeapHardLimit"] = (200 << 20).ToString("x", null),
            ["STREAMING__Http__Port"] = "-1",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
        };
        using var worker = StreamingProcess.Start(["run"], variables);

        Assert.True(await worker.WaitForExitAsync() == 78, worker.Output);
        Assert.Contains(
            "the model needs at least 301 MiB of memory, but the runtime may use 200 MiB",
            worker.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("STREAMING__Model__ItemCapacity (100000)", worker.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", worker.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_TakeWhatIsAllocatedForThem()
    {
        ModelOptions small = new() { ItemCapacity = 20_000, Widths = [32, 64] };
        ModelOptions large = small with { ItemCapacity = 60_000 };

        double said = MemoryCheck.Tables(large) - MemoryCheck.Tables(small);
        double taken = Allocated(large) - Allocated(small);
        Assert.InRange(said / taken, 0.98, 1.02);
    }

    /// <summary>A rank allocates the vectors and moments of its own rows alone; at most a tenth is said too much.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Tables_OfRanks_TakeWhatEachAllocates(int ranks)
    {
        ModelOptions small = new() { ItemCapacity = 20_000, Widths = [32, 128] };
        ModelOptions large = small with { ItemCapacity = 60_000 };
        long said = MemoryCheck.Tables(large, ranks) - MemoryCheck.Tables(small, ranks);
        long alone = MemoryCheck.Tables(large) - MemoryCheck.Tables(small);

        InProcessRanks.Run(
            ranks,
            rank =>
            {
                long taken = Allocated(large, rank) - Allocated(small, rank);
                Assert.InRange((double)said / taken, 1, 1.2);
                Assert.InRange((double)taken / alone, 0, (1.0 / ranks) + 0.1);
            }
        );
    }

    private static long Allocated(ModelOptions model, Collective ranks)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var engine = new ShardedCpuEngine(model, threads: 1, ranks);
        using var trainer = new Trainer(engine, new TrainerOptions());
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static long Allocated(ModelOptions model)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var engine = new CpuEngine(model, threads: 1);
        using var trainer = new Trainer(engine, new TrainerOptions());
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
