using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Tests.Cuda;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>The tests of the Torch engine, with this project's kernels.</summary>
public class KernelEngineTests : TorchEngineTests
{
    protected override int ManySteps => 8;

    internal override IKernelDevice Kernels() => TestKernels.Device();
}
