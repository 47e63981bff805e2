using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

public sealed class SnapshotTests
{
    [Theory]
    [InlineData(TowerKind.FmrlRec, IdOptimizer.LazyAdam)]
    [InlineData(TowerKind.YoutubeDnn, IdOptimizer.RowAdagrad)]
    public void BeginSnapshot_TrainingGoesOn_ShowsTheStateAsOfThen(TowerKind tower, IdOptimizer optimizer)
    {
        var options = TestEngines.Options(tower) with { IdOptimizer = optimizer };
        using var engine = TestEngines.Create(options);
        using var frozen = TestEngines.Create(options);
        TestEngines.Train(engine, 7);
        TestEngines.Train(frozen, 7);
        using var live = engine.BeginSnapshot();
        using var still = frozen.BeginSnapshot();
        TestEngines.Train(engine, 30, firstStep: 8);
        engine.InitializeRow(3, 12345);
        engine.SetFeatures(4, new float[options.FeatureLength]);
        engine.ForgetRow(5);
        AssertEqual(still, live);
    }

    [Fact]
    public async Task BeginSnapshot_ReadWhileTraining_RestoresTheStateAsOfThen()
    {
        var options = TestEngines.Options(TowerKind.FmrlRec);
        using var engine = TestEngines.Create(options);
        using var restored = TestEngines.Create(options);
        TestEngines.Train(engine, 7);
        double[] expected;
        using (var twin = TestEngines.Create(options))
        {
            TestEngines.Train(twin, 7);
            expected = TestEngines.Train(twin, 10, firstStep: 8);
        }

        using (var snapshot = engine.BeginSnapshot())
        {
            var reading = Task.Run(() => restored.Restore(snapshot), TestContext.Current.CancellationToken);
            Assert.Equal(expected, TestEngines.Train(engine, 10, firstStep: 8));
            await reading;
        }

        Assert.Equal(expected, TestEngines.Train(restored, 10, firstStep: 8));
    }

    [Fact]
    public void BeginSnapshot_WhileOneIsOpen_IsRefused()
    {
        using var engine = TestEngines.Create(TestEngines.Options(TowerKind.YoutubeDnn));
        using (var first = engine.BeginSnapshot())
        {
            Assert.Throws<InvalidOperationException>(engine.BeginSnapshot);
            Assert.Throws<InvalidOperationException>(() => engine.Restore(first));
        }

        engine.BeginSnapshot().Dispose();
    }

    private static void AssertEqual(TensorSource expected, TensorSource actual)
    {
        Assert.Equal(expected.Tensors.Select(info => info.Name), actual.Tensors.Select(info => info.Name));
        for (int i = 0; i < expected.Tensors.Count; i++)
        {
            var info = expected.Tensors[i];
            Assert.Equal(info.Shape, actual.Tensors[i].Shape);
            int size = info.Type is TensorType.I64 or TensorType.F64 ? 8 : 4;
            var (a, b) = (new byte[info.Shape.Aggregate(1L, (product, dimension) => product * dimension) * size], Array.Empty<byte>());
            b = new byte[a.Length];
            expected.Read(i, 0, a);
            actual.Read(i, 0, b);
            Assert.True(a.AsSpan().SequenceEqual(b), info.Name);
        }
    }
}
