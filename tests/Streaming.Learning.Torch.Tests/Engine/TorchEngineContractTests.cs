using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;

namespace Streaming.Learning.Torch.Tests.Engine;

public sealed class TorchEngineContractTests : TrainingEngineContract
{
    protected override TrainingEngine Create(ModelOptions model) =>
        new TorchEngine(model, TestDevice.Options with { Kernels = KernelMode.Off });
}
