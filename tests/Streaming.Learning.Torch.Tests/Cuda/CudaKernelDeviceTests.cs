using Streaming.Learning.Torch.Cuda;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Cuda;

/// <summary>The calls to driver and compiler, against a stand-in that writes them down.</summary>
public sealed class CudaKernelDeviceTests : IDisposable
{
    private static readonly bool HasDriver = File.Exists("/proc/driver/nvidia/version");
    private static readonly KernelSource Source = new("Tower.cu", "text", ["D=8", "K=1"], ["one", "three"]);
    private readonly string _cache = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public CudaKernelDeviceTests()
    {
        Assert.SkipWhen(HasDriver, "This machine has NVIDIA's driver; the stand-in would take its place.");
        FakeCuda.Reset();
    }

    [Fact]
    public void Compile_NewSource_CompilesForTheArchitectureAndLoadsEachFunction()
    {
        using CudaKernelDevice device = Open();

        IReadOnlyDictionary<string, nint> functions = device.Compile(Source);

        Assert.Equal(("sm_90", 132, 232_448), (device.Target, device.Multiprocessors, device.MostSharedBytes));
        Assert.Equal(new Dictionary<string, nint> { ["one"] = 3, ["three"] = 5 }, functions);
        Assert.Equal("compile --gpu-architecture=sm_90 --std=c++17 -default-device --ptxas-options=-v -DD=8 -DK=1", FakeCuda.Log[1]);
        int characters = (KernelSource.Read("Device.cuh") + Source.Text).Length;
        Assert.Equal(
            [
                "retain",
                FakeCuda.Log[1],
                "destroy",
                $"load Tower.cu of {characters} characters",
                "function one",
                "attribute 8 232448",
                "function three",
                "attribute 8 232448",
            ],
            FakeCuda.Log
        );
        Assert.Equal(0, FakeCuda.Depth);
    }

    [Fact]
    public void Compile_KnownSource_LoadsTheCodeOfTheFirstStart()
    {
        using (CudaKernelDevice first = Open())
        {
            first.Compile(Source);
        }

        FakeCuda.Reset();
        using CudaKernelDevice second = Open();
        second.Compile(Source);

        Assert.DoesNotContain(FakeCuda.Log, line => line.StartsWith("compile", StringComparison.Ordinal));
        Assert.Contains(FakeCuda.Log, line => line.StartsWith("load Tower.cu of", StringComparison.Ordinal));
    }

    [Fact]
    public void Compile_OtherArchitecture_CompilesAgain()
    {
        using (CudaKernelDevice first = Open())
        {
            first.Compile(Source);
        }

        FakeCuda.Set("major", 8);
        using CudaKernelDevice second = Open();
        second.Compile(Source);

        Assert.Contains(FakeCuda.Log, line => line.Contains("=sm_80", StringComparison.Ordinal));
    }

    [Fact]
    public void Compile_ErrorInSource_IsOneLineWithTheError()
    {
        using CudaKernelDevice device = Open();
        FakeCuda.Set("nvrtcCompileProgram", 6);

        KernelException error = Assert.Throws<KernelException>(() => device.Compile(Source));

        Assert.Equal("NVRTC 12.8 does not compile Tower.cu for sm_90: Tower.cu(4): error: no", error.Message);
        Assert.Equal("destroy", FakeCuda.Log[^1]);
    }

    [Fact]
    public void Compile_DriverTooOld_NamesBothVersions()
    {
        using CudaKernelDevice device = Open();
        FakeCuda.Set("cuModuleLoadData", 222);
        FakeCuda.Set("version", 11040);

        KernelException error = Assert.Throws<KernelException>(() => device.Compile(Source));

        Assert.Equal(
            "loading Tower.cu as NVRTC 12.8 compiled it, with a driver for CUDA 11.4, failed: CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
            error.Message
        );
        Assert.Equal(0, FakeCuda.Depth);
    }

    [Fact]
    public void Launch_Arguments_ReachTheDriverInTorchsContextAndStream()
    {
        using CudaKernelDevice device = Open();
        nint function = device.Compile(Source)["three"];

        new KernelCall(device).Of(function).With(-3).With(0.25).Launch((7, 2), 128, 70_000);

        Assert.Equal("launch 5 (7 2 1) (128 1 1) 70000 (nil) -3 0.25 (nil) depth 1", FakeCuda.Log[^1]);
        Assert.Equal(0, FakeCuda.Depth);
    }

    [Fact]
    public void Launch_Refused_SaysHowToTrainWithout()
    {
        using CudaKernelDevice device = Open();
        nint function = device.Compile(Source)["three"];
        FakeCuda.Set("cuLaunchKernel", 1);

        KernelException error = Assert.Throws<KernelException>(() =>
            new KernelCall(device).Of(function).With(1).With(1.0).Launch((1, 1), 32)
        );

        Assert.Equal(
            "launching a kernel (STREAMING__Training__Kernels=Off trains without them) failed: CUDA_ERROR_INVALID_VALUE",
            error.Message
        );
        Assert.Equal(0, FakeCuda.Depth);
    }

    [Fact]
    public void Open_NoDevice_NamesTheDriversError()
    {
        FakeCuda.Set("cuInit", 100);

        KernelException error = Assert.Throws<KernelException>(Open);

        Assert.Equal("cuInit failed: CUDA_ERROR_NO_DEVICE", error.Message);
    }

    [Fact]
    public void Open_OldGpu_NamesItsArchitecture()
    {
        FakeCuda.Set("major", 7);

        KernelException error = Assert.Throws<KernelException>(Open);

        Assert.Equal("the GPU is sm_70; the kernels need sm_80 or later", error.Message);
    }

    [Fact]
    public void Dispose_UnloadsAndReleases()
    {
        CudaKernelDevice device = Open();
        device.Compile(Source);

        device.Dispose();

        Assert.Equal(["unload", "release"], FakeCuda.Log[^2..]);
        Assert.Equal(0, FakeCuda.Depth);
    }

    public void Dispose()
    {
        if (Directory.Exists(_cache))
        {
            Directory.Delete(_cache, recursive: true);
        }
    }

    private CudaKernelDevice Open() => new(0, [FakeCuda.Folder], new CompiledKernels(_cache));
}
