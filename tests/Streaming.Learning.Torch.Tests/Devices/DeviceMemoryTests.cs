using System.Runtime.InteropServices;
using Streaming.Learning.Torch.Devices;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Devices;

public class DeviceMemoryTests
{
    private const string CudaMessage =
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 15.77 GiB\nException raised from malloc";

    [Fact]
    public void Run_OutOfMemory_HalvesAndContinues()
    {
        var memory = new DeviceMemory(chunkBytes: 4096 * 100);
        var tried = new List<long>();

        long done = memory.Run(100_000, 100, columns => Work(columns, tried, fits: 1024), () => "sizes");

        Assert.Equal(1024, done);
        Assert.Equal([4096L, 2048L, 1024L], tried);
        Assert.Equal(2, memory.Halvings);
        Assert.Equal(1024, memory.Columns(100));
    }

    [Fact]
    public void Run_NothingFits_FailsWithTheFigures()
    {
        var memory = new DeviceMemory(chunkBytes: 1024 * 100);

        TorchDeviceException error = Assert.Throws<TorchDeviceException>(() =>
            memory.Run(100_000, 100, columns => Work(columns, [], fits: 0), () => "64 predictions, D 128")
        );

        Assert.Contains("256 candidates at a time", error.Message, StringComparison.Ordinal);
        Assert.Contains("64 predictions, D 128", error.Message, StringComparison.Ordinal);
        Assert.Contains("Tried to allocate 20.00 GiB", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Run_OtherError_IsNotTriedAgain()
    {
        var memory = new DeviceMemory(chunkBytes: 1 << 20);
        int tries = 0;

        Assert.Throws<NativeError>(() =>
            memory.Run<int>(10, 1, _ => throw new NativeError($"shapes cannot be multiplied, try {++tries}"), () => "sizes")
        );

        Assert.Equal(1, tries);
    }

    [Fact]
    public void Run_RealAllocationThatCannotFit_IsRecognised()
    {
        ExternalException error = Assert.Throws<ExternalException>(() => TorchSharp.torch.empty(1L << 50));

        Assert.True(DeviceMemory.IsExhausted(error));
    }

    private static long Work(long columns, List<long> tried, long fits)
    {
        tried.Add(columns);
        return columns <= fits ? columns : throw new NativeError(CudaMessage);
    }

    // What TorchSharp throws for an error of libtorch.
    private sealed class NativeError(string message) : ExternalException(message);
}
