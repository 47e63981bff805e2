using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using TorchSharp;

namespace Streaming.Learning.Torch.Tests.Cuda;

/// <summary>Where the tests run kernels: on the GPU if the tests run on one, else emulated.</summary>
internal static class TestKernels
{
    /// <summary>Opens the device; the caller or the engine disposes it.</summary>
    public static IKernelDevice Device() =>
        TestDevice.Device.type == DeviceType.CUDA ? DeviceKernels.Open(TestDevice.Device) : new EmulatedDevice();
}
