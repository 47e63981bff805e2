using Xunit;

namespace Streaming.Learning.Tests;

public sealed class DeterminismTests
{
    [Theory]
    [InlineData(TowerKind.FmrlRec)]
    [InlineData(TowerKind.YoutubeDnn)]
    [InlineData(TowerKind.Gru4Rec)]
    [InlineData(TowerKind.Mind)]
    public void Step_OneOrMoreThreads_SameParametersToTheBit(TowerKind tower)
    {
        using var one = TestEngines.Create(TestEngines.Options(tower), threads: 1);
        using var two = TestEngines.Create(TestEngines.Options(tower), threads: 2);
        using var three = TestEngines.Create(TestEngines.Options(tower), threads: 3);

        // Enough sequences for several chunks in every lane.
        double[] losses = TestEngines.Train(one, 5, sequences: 400);
        Assert.Equal(losses, TestEngines.Train(two, 5, sequences: 400));
        Assert.Equal(losses, TestEngines.Train(three, 5, sequences: 400));
        Assert.Equal(one.Parameters.Values, two.Parameters.Values);
        Assert.Equal(one.Parameters.Values, three.Parameters.Values);
    }

    [Fact]
    public void Step_SteadyState_AllocatesNothing()
    {
        using var engine = TestEngines.Create(TestEngines.Options(TowerKind.FmrlRec));
        var batch = new RandomBatch(1, 60, 12, TestEngines.Items, negatives: 20) { Enqueue = true, LearningRate = 0.01f };
        for (int i = 0; i < 20; i++)
        {
            batch.BankEntries = engine.BankCount;
            engine.Step(batch.Batch);
        }

        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < 20; i++)
        {
            engine.Step(batch.Batch);
        }

        // The counter is of the process: other tests' threads are kept out by the collection, the runner's are not.
        long perStep = (GC.GetTotalAllocatedBytes(precise: true) - before) / 20;
        Assert.True(perStep < 2048, $"{perStep} bytes a step.");
    }
}
