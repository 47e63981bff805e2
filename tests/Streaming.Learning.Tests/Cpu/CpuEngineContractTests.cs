namespace Streaming.Learning.Tests;

public sealed class CpuEngineContractTests : TrainingEngineContract
{
    protected override TrainingEngine Create(ModelOptions model) => new CpuEngine(model, threads: 2);
}
