using Streaming.Core.Embeddings;
using Streaming.Lab.Backtest;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class ModelCostTests
{
    private static readonly string[] Items = ["a", "bb", "ccc"];

    [Fact]
    public void Of_Model_CountsWhatACheckpointAndRedisHold()
    {
        using CpuEngine engine = Engine(4, 8);
        var cost = ModelCost.Of("nested", false, engine, Items, Result(seconds: 2, steps: 10));

        using TensorSnapshot state = engine.BeginSnapshot();
        using var file = new MemoryStream();
        Safetensors.Write(state, file, null, TestContext.Current.CancellationToken);
        int header = 8 + (int)BitConverter.ToInt64(file.GetBuffer(), 0);
        Assert.Equal(file.Length - header, cost.CheckpointBytes);

        using TensorSource dense = engine.CopyParameters();
        Assert.Equal(dense.Tensors.Sum(tensor => tensor.ElementCount()) + (Items.Length * 8), cost.Parameters);

        // Two bytes a number, and a key of its id.
        ItemKeySpace keys = new RedisKeys("items").Items(1);
        Assert.Equal(
            Items.Sum(id => keys.Key(id).Length) + (Items.Length * new EmbeddingFormat(EmbeddingElement.Float16, [4, 8]).Length),
            cost.StoreBytes
        );
        Assert.Equal((2, 10), (cost.ProcessorSeconds, cost.Steps));
    }

    [Fact]
    public void Sum_OfModels_AddsUp()
    {
        using CpuEngine narrow = Engine(4);
        using CpuEngine wide = Engine(8);
        ModelCost[] costs =
        [
            ModelCost.Of("4", true, narrow, Items, Result(seconds: 1, steps: 10)),
            ModelCost.Mean([
                ModelCost.Of("8", true, wide, Items, Result(seconds: 2, steps: 20)),
                ModelCost.Of("8", true, wide, Items, Result(seconds: 4, steps: 40)),
            ]),
        ];
        var sum = ModelCost.Sum("2 models", costs);
        Assert.Equal([4, 8], sum.Widths);
        Assert.Equal(costs[0].Parameters + costs[1].Parameters, sum.Parameters);
        Assert.Equal(costs[0].StoreBytes + costs[1].StoreBytes, sum.StoreBytes);
        Assert.Equal((4, 40), (sum.ProcessorSeconds, sum.Steps));
        string[] row = CostWriter.Table([sum])[1];
        Assert.Equal(["2 models", "4,8", $"{sum.Parameters}"], row[..3]);
        Assert.Equal(["4.0", "40"], row[^2..]);
    }

    private static OfflineResult Result(double seconds, int steps) =>
        new(0, 1, 1, steps, 0, [], []) { Training = TimeSpan.FromSeconds(seconds) };

    private static CpuEngine Engine(params int[] widths)
    {
        var engine = new CpuEngine(
            new ModelOptions
            {
                Widths = widths,
                ItemCapacity = Items.Length,
                Layers = 1,
            },
            threads: 1
        );
        for (int row = 0; row < Items.Length; row++)
        {
            engine.InitializeRow(row, (ulong)row + 1);
        }

        return engine;
    }
}
