using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

public sealed class SnapshotTests
{
    [Theory]
    [InlineData(TowerKind.FmrlRec, IdOptimizer.LazyAdam)]
    [InlineData(TowerKind.YoutubeDnn, IdOptimizer.RowAdagrad)]
    [InlineData(TowerKind.YoutubeDnn, IdOptimizer.LazyAdam, true)] // moves entries within the shared buffer
    public void BeginSnapshot_TrainingContinues_ShowsTheStateAsOfThen(TowerKind tower, IdOptimizer optimizer, bool distinctBank = false)
    {
        ModelOptions options = TestEngines.Options(tower) with { IdOptimizer = optimizer, DistinctBank = distinctBank };
        using CpuEngine engine = TestEngines.Create(options);
        using CpuEngine frozen = TestEngines.Create(options);
        TestEngines.Train(engine, 7);
        TestEngines.Train(frozen, 7);
        using TensorSnapshot live = engine.BeginSnapshot();
        using TensorSnapshot still = frozen.BeginSnapshot();
        TestEngines.Train(engine, 30, firstStep: 8);
        engine.InitializeRow(3, 12345);
        engine.SetFeatures(4, new float[options.FeatureLength]);
        engine.ForgetRow(5);
        AssertEqual(still, live);
    }

    [Fact]
    public async Task BeginSnapshot_ReadWhileTraining_RestoresTheStateAsOfThen()
    {
        ModelOptions options = TestEngines.Options(TowerKind.FmrlRec);
        using CpuEngine engine = TestEngines.Create(options);
        using CpuEngine restored = TestEngines.Create(options);
        TestEngines.Train(engine, 7);
        double[] expected;
        using (CpuEngine twin = TestEngines.Create(options))
        {
            TestEngines.Train(twin, 7);
            expected = TestEngines.Train(twin, 10, firstStep: 8);
        }

        using (TensorSnapshot snapshot = engine.BeginSnapshot())
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
        using CpuEngine engine = TestEngines.Create(TestEngines.Options(TowerKind.YoutubeDnn));
        using (TensorSnapshot first = engine.BeginSnapshot())
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
            TensorInfo info = expected.Tensors[i];
            Assert.Equal(info.Shape, actual.Tensors[i].Shape);
            int size = info.Type is TensorType.I64 or TensorType.F64 ? 8 : 4;
            (byte[]? a, byte[]? b) = (
                new byte[info.Shape.Aggregate(1L, (product, dimension) => product * dimension) * size],
                Array.Empty<byte>()
            );
            b = new byte[a.Length];
            expected.Read(i, 0, a);
            actual.Read(i, 0, b);
            Assert.True(a.AsSpan().SequenceEqual(b), info.Name);
        }
    }
}
