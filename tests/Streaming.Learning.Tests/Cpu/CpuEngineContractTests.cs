using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;

namespace Streaming.Learning.Tests.Cpu;

public sealed class CpuEngineContractTests : TrainingEngineContract
{
    protected override TrainingEngine Create(ModelOptions model) => new CpuEngine(model, threads: 2);
}
