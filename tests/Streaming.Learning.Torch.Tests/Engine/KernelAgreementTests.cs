using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Tests.Cuda;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>The agreement of the Torch engine with the CPU engine, with this project's kernels.</summary>
public sealed class KernelAgreementTests(ITestOutputHelper output) : AgreementTests(output)
{
    protected override int Steps => 3;

    internal override IKernelDevice Kernels() => TestKernels.Device();
}
