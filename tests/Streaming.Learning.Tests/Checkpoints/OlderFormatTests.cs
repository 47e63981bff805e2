using Streaming.Learning.Checkpoints;
using Streaming.Learning.Counts;
using Streaming.Learning.Cpu;
using Streaming.Learning.Replay;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Checkpoints;

/// <summary>Checkpoints of older programs are readable: one of each format is kept with these tests.</summary>
/// <remarks>Format1 was written by version 0.1.0: the model below after eight batches. It is never written again.</remarks>
public sealed class OlderFormatTests
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        Layers = 1,
        ItemCapacity = 64,
        HistoryLength = Batches.HistoryLength,
        BankCapacity = 16,
    };
    private static readonly TrainerOptions Options = new()
    {
        Replay = new ReplayOptions { Capacity = 32 },
        Counts = new CountOptions { MaxBytes = 0 },
        EvaluateEvery = -1,
    };

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Checkpoints", "Format1");

    [Fact]
    public void RestoreTo_Format1_IsTheTrainerThatWroteIt()
    {
        var checkpoint = Checkpoint.Open(Folder);
        using var engine = new CpuEngine(Model, threads: 1);
        using var trainer = new Trainer(engine, Options);

        checkpoint.RestoreTo(trainer);

        Assert.Equal(1, checkpoint.Manifest.Format);
        Assert.Equal(8, trainer.Counters.Steps);
        Assert.Equal(checkpoint.Manifest.Counters, trainer.Counters);
        Assert.Equal(7, trainer.Sequence);
        using TensorSource written = checkpoint.OpenEngine();
        using TensorSource restored = engine.CopyParameters();
        Assert.All(restored.Tensors, tensor => Assert.Equal(Bytes(written, tensor.Name), Bytes(restored, tensor.Name)));

        Assert.True(trainer.Train(Batches.Random(new Random(2), 8, 16, 30)).Step.IsApplied);
    }

    private static byte[] Bytes(TensorSource source, string name)
    {
        int tensor = source.Tensors.Select(info => info.Name).ToList().IndexOf(name);
        byte[] bytes = new byte[source.Tensors[tensor].ByteCount()];
        source.Read(tensor, 0, bytes);
        return bytes;
    }
}
