using Streaming.Learning.Torch.Devices;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Devices;

/// <summary>The device that the tests run on: STREAMING_TORCH_DEVICE (cpu, cuda, cuda:N), cpu if it is not set.</summary>
internal static class TestDevice
{
    /// <summary>Gets its name, as used in settings.</summary>
    public static string Name { get; } =
        Environment.GetEnvironmentVariable("STREAMING_TORCH_DEVICE") is { Length: > 0 } name ? name : "cpu";

    /// <summary>Gets the device.</summary>
    public static Device Device { get; } = TorchDevices.Open(Name, tf32: false);

    /// <summary>Gets engine options for it.</summary>
    public static TorchEngineOptions Options { get; } = new() { Device = Name };

    /// <summary>Copies a tensor to it.</summary>
    public static Tensor There(this Tensor values) => values.to(Device);

    /// <summary>Copies a tensor's values to the host.</summary>
    public static T[] Numbers<T>(this Tensor values)
        where T : unmanaged => values.cpu().contiguous().data<T>().ToArray();
}
