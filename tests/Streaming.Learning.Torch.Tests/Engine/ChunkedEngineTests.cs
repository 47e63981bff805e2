using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>Torch's operations process candidates in chunks; the kernels need none.</summary>
public class ChunkedEngineTests
{
    [Fact]
    public void Step_SmallChunks_SameLossAsOneChunk()
    {
        ModelOptions model = new()
        {
            Widths = [4, 8, 16],
            Cosine = false,
            Temperature = 1,
            HistoryLength = 9,
            ItemCapacity = 64,
            BankCapacity = 2000,
            Dropout = [0],
        };
        TorchEngineOptions options = TestDevice.Options with { Kernels = KernelMode.Off };
        using TorchEngine whole = Engine(model, options);
        using TorchEngine cut = Engine(model, options with { ChunkBytes = 1 << 20 });
        for (int i = 0; i < 12; i++)
        {
            RandomBatch batch = Large(i);
            StepResult expected = whole.Step(batch.Batch);
            StepResult actual = cut.Step(batch.Batch);
            Near.Equal("losses", expected.Losses.ToArray(), actual.Losses.ToArray(), 1e-5);
        }

        Assert.Equal(2000, cut.BankCount);
    }

    private static TorchEngine Engine(ModelOptions model, TorchEngineOptions options)
    {
        var engine = new TorchEngine(model, options);
        for (int row = 0; row < 40; row++)
        {
            engine.InitializeRow(row, (ulong)(row + 1));
        }

        return engine;
    }

    private static RandomBatch Large(int seed) =>
        new(seed, 200, 5, 40)
        {
            LearningRate = 0.01f,
            Step = seed,
            Enqueue = true,
            BankEntries = 2000,
        };
}
