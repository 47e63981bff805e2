using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>The contract of an engine, by the Torch engine with this project's kernels.</summary>
public sealed class KernelEngineContractTests : TrainingEngineContract
{
    protected override TrainingEngine Create(ModelOptions model) =>
        new TorchEngine(model, TestDevice.Options with { Kernels = KernelMode.On }, TestKernels.Device());
}
