using Streaming.Learning.Tests;

namespace Streaming.Learning.Torch.Tests;

public sealed class TorchEngineContractTests : TrainingEngineContract
{
    protected override TrainingEngine Create(ModelOptions model) => new TorchEngine(model, TestDevice.Options);
}
