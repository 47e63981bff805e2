using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>A CPU engine and a Torch engine of the same model in the same state.</summary>
internal sealed class EnginePair : IDisposable
{
    public const int Items = 40;

    /// <param name="model">The model of both.</param>
    /// <param name="kernels">Runs this project's kernels; null: torch's operations.</param>
    public EnginePair(ModelOptions model, IKernelDevice? kernels = null)
    {
        Cpu = new CpuEngine(model, threads: 1);
        Torch = kernels is null
            ? new TorchEngine(model, TestDevice.Options with { Kernels = KernelMode.Off })
            : new TorchEngine(model, TestDevice.Options with { Kernels = KernelMode.On }, kernels);
        var random = new Random(7);
        foreach (TrainingEngine engine in (TrainingEngine[])[Cpu, Torch])
        {
            for (int row = 0; row < Items; row++)
            {
                engine.InitializeRow(row, (ulong)(1000 + row));
            }
        }

        for (int row = 0; row < Items && model.FeatureLength > 0; row += 2)
        {
            float[] features = [.. Enumerable.Range(0, model.FeatureLength).Select(_ => random.NextSingle() - 0.5f)];
            Cpu.SetFeatures(row, features);
            Torch.SetFeatures(row, features);
        }
    }

    public CpuEngine Cpu { get; }

    public TorchEngine Torch { get; }

    /// <summary>Runs the same step on both and checks that losses, norm and counts agree.</summary>
    /// <returns>The largest relative difference of a loss.</returns>
    public double Step(RandomBatch batch, double tolerance)
    {
        StepResult expected = Cpu.Step(batch.Batch);
        StepResult actual = Torch.Step(batch.Batch);
        Assert.Equal(expected.IsApplied, actual.IsApplied);
        Assert.Equal(expected.Candidates, actual.Candidates);
        double worst = Near.Equal("losses", expected.Losses.ToArray(), actual.Losses.ToArray(), tolerance);
        Near.Equal("loss", [expected.Loss], [actual.Loss], tolerance);
        Near.Equal("norm", [expected.GradientNorm], [actual.GradientNorm], 10 * tolerance);
        return worst;
    }

    /// <summary>Checks that all tensors agree within a tolerance relative to each tensor's largest value.</summary>
    public double CompareStates(double tolerance)
    {
        Dictionary<string, double[]> expected = Cpu.State();
        Dictionary<string, double[]> actual = Torch.State();
        Assert.Equal(expected.Keys, actual.Keys);
        return expected.Max(tensor => Near.Equal(tensor.Key, tensor.Value, actual[tensor.Key], tolerance));
    }

    public void Dispose()
    {
        Cpu.Dispose();
        Torch.Dispose();
    }
}
