using System.Globalization;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>What storing activations in bfloat16 does to the loss: the same batches, in the same order, with both. Each history's next
/// item follows from its last, so that there is something to learn. STREAMING_ACTIVATION_STEPS trains longer than the test does.</summary>
public class ActivationTests(ITestOutputHelper output)
{
    private const int Items = 60;
    private static readonly int Steps = int.Parse(
        Environment.GetEnvironmentVariable("STREAMING_ACTIVATION_STEPS") ?? "30",
        CultureInfo.InvariantCulture
    );

    private static readonly ModelOptions Model = new()
    {
        Widths = [8, 16, 32],
        HistoryLength = 9,
        ItemCapacity = 64,
        BankCapacity = 64,
        Dropout = [0.1f],
    };

    [Fact]
    public void Step_Bfloat16_LossFallsAsWithFloat32()
    {
        double[] expected = Losses(ActivationKind.Full),
            actual = Losses(ActivationKind.Bfloat16);
        for (int first = 0; first < Steps; first += Steps / 5)
        {
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"steps {first + 1} … {first + (Steps / 5)}: {Mean(expected, first):F4} float32, {Mean(actual, first):F4} bfloat16"
                )
            );
        }

        int last = Steps - (Steps / 5);
        Assert.NotEqual(expected, actual);
        Assert.True(Mean(expected, last) < 0.95 * Mean(expected, 0), "Nothing was learnt.");
        Assert.Equal(Mean(expected, last), Mean(actual, last), 0.02 * Mean(expected, last));
    }

    private static double Mean(double[] losses, int first) => losses.AsSpan(first, Steps / 5).ToArray().Average();

    private static double[] Losses(ActivationKind kind)
    {
        TorchEngineOptions options = TestDevice.Options with { Kernels = KernelMode.On, Activations = kind };
        using var engine = new TorchEngine(Model, options, TestKernels.Device());
        for (int row = 0; row < Items; row++)
        {
            engine.InitializeRow(row, (ulong)row);
        }

        double[] losses = new double[Steps];
        for (int i = 0; i < Steps; i++)
        {
            losses[i] = engine.Step(Batch(i).Batch).Loss;
        }

        return losses;
    }

    private static RandomBatch Batch(int step)
    {
        var batch = new RandomBatch(step, 16, Model.HistoryLength, Items)
        {
            LearningRate = 0.005f,
            Step = step,
            Enqueue = true,
            BankEntries = step == 0 ? 0 : 16,
        };
        for (int i = 0; i < batch.Positives.Length; i++)
        {
            int end = batch.Offsets[i + 1];
            batch.Positives[i] = end > batch.Offsets[i] ? (batch.Rows[end - 1] + 7) % Items : 0;
        }

        return batch;
    }
}
