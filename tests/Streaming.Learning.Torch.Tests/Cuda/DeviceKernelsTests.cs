using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Models.Options;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Cuda;

public class DeviceKernelsTests
{
    private static readonly ModelOptions Model = new() { Widths = [4, 8, 16] };

    [Theory]
    [InlineData(KernelMode.Auto)]
    [InlineData(KernelMode.On)]
    public void Choose_DeviceThatRunsThem_NamesTheKernels(KernelMode mode)
    {
        using var kernels = DeviceKernels.Choose(Options(mode), CPU, Model, new EmulatedDevice());

        Assert.NotNull(kernels.Softmax);
        Assert.NotNull(kernels.Tower);
        Assert.Equal("own kernels for an emulation: nested softmax, item rows, updates, fmrlrec tower", kernels.Description);
    }

    [Fact]
    public void Choose_AnotherTower_RunsItWithTorchsOperations()
    {
        ModelOptions model = Model with { Tower = TowerKind.Gru4Rec };
        using var kernels = DeviceKernels.Choose(Options(KernelMode.Auto), CPU, model, new EmulatedDevice());

        Assert.NotNull(kernels.Softmax);
        Assert.Null(kernels.Tower);
        Assert.Equal("own kernels for an emulation: nested softmax, item rows, updates", kernels.Description);
    }

    [Fact]
    public void Choose_Off_RunsTorchsOperations()
    {
        using var kernels = DeviceKernels.Choose(Options(KernelMode.Off), CPU, Model, new EmulatedDevice());

        Assert.Null(kernels.Softmax);
        Assert.Equal("torch's operations (STREAMING__Training__Kernels=Off)", kernels.Description);
    }

    [Fact]
    public void Choose_Bfloat16_NamesItOrSaysThatItHasNoEffect()
    {
        TorchEngineOptions options = Options(KernelMode.Auto) with { Activations = ActivationKind.Bfloat16 };
        const string Without =
            "; activations are float32: STREAMING__Training__Activations=Bfloat16 needs the kernels of the fmrlrec tower";
        using var kernels = DeviceKernels.Choose(options, CPU, Model, new EmulatedDevice());
        using var gru = DeviceKernels.Choose(options, CPU, Model with { Tower = TowerKind.Gru4Rec }, new EmulatedDevice());
        using var cpu = DeviceKernels.Choose(options, CPU, Model);
        using var off = DeviceKernels.Choose(options with { Kernels = KernelMode.Off }, CPU, Model);

        Assert.EndsWith(", fmrlrec tower with activations in bfloat16", kernels.Description, StringComparison.Ordinal);
        Assert.Equal("own kernels for an emulation: nested softmax, item rows, updates" + Without, gru.Description);
        Assert.Equal("torch's operations, not own kernels: the device is cpu, not cuda" + Without, cpu.Description);
        Assert.Equal("torch's operations (STREAMING__Training__Kernels=Off)" + Without, off.Description);
    }

    [Fact]
    public void Choose_AutoOnCpu_SaysWhyNot()
    {
        using var kernels = DeviceKernels.Choose(Options(KernelMode.Auto), CPU, Model);

        Assert.Null(kernels.Softmax);
        Assert.Equal("torch's operations, not own kernels: the device is cpu, not cuda", kernels.Description);
    }

    [Fact]
    public void Choose_OnButImpossible_RefusesInOneLine()
    {
        TorchDeviceException error = Assert.Throws<TorchDeviceException>(() => DeviceKernels.Choose(Options(KernelMode.On), CPU, Model));

        Assert.Equal(
            "STREAMING__Training__Kernels is On, but the kernels cannot run on 'cpu': the device is cpu, not cuda. Set it to Auto to "
                + "train with torch's operations.",
            error.Message
        );
    }

    [Theory]
    [InlineData(new[] { 2, 16 }, "the widths are 2, 16; the kernels take multiples of 4 up to 256")]
    [InlineData(new[] { 64, 512 }, "the widths are 64, 512; the kernels take multiples of 4 up to 256")]
    public void Choose_WidthsNotSupported_NamesThem(int[] widths, string reason)
    {
        using var kernels = DeviceKernels.Choose(Options(KernelMode.Auto), CPU, Model with { Widths = widths }, new EmulatedDevice());

        Assert.Equal($"torch's operations, not own kernels: {reason}", kernels.Description);
    }

    [Fact]
    public void Choose_TooLittleSharedMemory_SaysHowMuch()
    {
        using var kernels = DeviceKernels.Choose(
            Options(KernelMode.Auto),
            CPU,
            new ModelOptions(),
            new EmulatedDevice { MostSharedBytes = 49_152 }
        );

        Assert.Equal(
            "torch's operations, not own kernels: widths up to 128 need 70,144 bytes of shared memory; a block of an emulation has 49,152",
            kernels.Description
        );
    }

    [Fact]
    public void Description_OfEngine_EndsWithTheChoice()
    {
        using var engine = new TorchEngine(Model, Options(KernelMode.Auto));

        Assert.EndsWith(", torch's operations, not own kernels: the device is cpu, not cuda", engine.Description, StringComparison.Ordinal);
    }

    private static TorchEngineOptions Options(KernelMode mode) => new() { Kernels = mode };
}
