using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

public sealed class DeterminismTests
{
    [Theory]
    [InlineData(TowerKind.FmrlRec)]
    [InlineData(TowerKind.YoutubeDnn)]
    [InlineData(TowerKind.Gru4Rec)]
    [InlineData(TowerKind.Mind)]
    public void Step_OneOrMoreThreads_SameParametersToTheBit(TowerKind tower)
    {
        using CpuEngine one = TestEngines.Create(TestEngines.Options(tower), threads: 1);
        using CpuEngine two = TestEngines.Create(TestEngines.Options(tower), threads: 2);
        using CpuEngine three = TestEngines.Create(TestEngines.Options(tower), threads: 3);

        // Enough sequences for several chunks in every lane.
        double[] losses = TestEngines.Train(one, 5, sequences: 400);
        Assert.Equal(losses, TestEngines.Train(two, 5, sequences: 400));
        Assert.Equal(losses, TestEngines.Train(three, 5, sequences: 400));
        Assert.Equal(one.Parameters.Values, two.Parameters.Values);
        Assert.Equal(one.Parameters.Values, three.Parameters.Values);
    }
}
