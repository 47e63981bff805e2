using Streaming.Learning.Cpu;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

/// <summary>Process-wide measurements: run while no other test does.</summary>
[Collection(nameof(RunsAlone))]
public sealed class AllocationTests
{
    [Theory]
    [InlineData(LossKind.Cbns, false)]
    [InlineData(LossKind.Union, false)]
    [InlineData(LossKind.Union, true)]
    public void Step_SteadyState_AllocatesNothing(LossKind loss, bool distinctBank)
    {
        ModelOptions options = TestEngines.Options(TowerKind.FmrlRec) with { Loss = loss, DistinctBank = distinctBank };
        using CpuEngine engine = TestEngines.Create(options);
        var batch = new RandomBatch(1, 60, 12, TestEngines.Items, negatives: 20)
        {
            Enqueue = true,
            LearningRate = 0.01f,
            DrawnFrom = loss.MixesDraws() ? TestEngines.Items : 0,
        };
        for (int i = 0; i < 20; i++)
        {
            batch.BankEntries = engine.BankCount;
            engine.Step(batch.Batch);
        }

        // The counter is process-wide, and the runner's own threads only add to it: take the minimum of several stretches.
        long least = long.MaxValue;
        for (int stretch = 0; stretch < 5; stretch++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 20; i++)
            {
                engine.Step(batch.Batch);
            }

            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / 20);
        }

        Assert.True(least < 256, $"{least} bytes a step.");
    }
}
