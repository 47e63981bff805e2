using Streaming.Learning.Torch.Devices;
using TorchSharp;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Devices;

public class TorchDevicesTests
{
    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:0:1")]
    [InlineData("")]
    public void Open_UnknownName_SaysWhatIsAllowed(string name)
    {
        TorchDeviceException error = Assert.Throws<TorchDeviceException>(() => TorchDevices.Open(name, tf32: false));

        Assert.Equal($"Device is '{name}'; allowed: cpu, cuda, cuda:N.", error.Message);
    }

    [Fact]
    public void Open_NoSuchCard_IsOneLineWithAdvice()
    {
        // No machine has card 99: without CUDA the driver is missing, with it the card.
        TorchDeviceException error = Assert.Throws<TorchDeviceException>(() => TorchDevices.Open("cuda:99", tf32: false));

        TestContext.Current.TestOutputHelper?.WriteLine(error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Contains("cuda:99", error.Message, StringComparison.Ordinal);
        Assert.Contains("STREAMING__Training__Device", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Cpu_GivesADeviceThatComputes() => Assert.Equal(DeviceType.CPU, TorchDevices.Open("cpu", tf32: false).type);
}
