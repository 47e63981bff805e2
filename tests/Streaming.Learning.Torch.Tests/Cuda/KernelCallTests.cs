using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Softmax;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Cuda;

public class KernelCallTests
{
    [Fact]
    public unsafe void Launch_ValuesOfAllKinds_ArriveInOrder()
    {
        using DisposeScope scope = NewDisposeScope();
        using var device = new RecordingDevice();
        var call = new KernelCall(device);
        Tensor values = arange(6, dtype: ScalarType.Float32);
        var block = new KernelBlock { Vectors = 7, Stride = 9 };

        call.Of(42).With(3).With(block).With(values.narrow(0, 2, 3)).With((Tensor?)null).With(0.5).Launch((2, 5), 128, 4096);

        Assert.Equal((42, (2, 5), 128, 4096), device.Call);
        Assert.Equal(5, device.Arguments.Length);
        Assert.Equal(3, *(int*)device.Arguments[0]);
        Assert.Equal(9, ((KernelBlock*)device.Arguments[1])->Stride);
        Assert.Equal(2f, **(float**)device.Arguments[2]);
        Assert.Equal(0, *(nint*)device.Arguments[3]);
        Assert.Equal(0.5, *(double*)device.Arguments[4]);
    }

    [Fact]
    public void With_TensorThatIsNotContiguous_NamesItsShape()
    {
        using DisposeScope scope = NewDisposeScope();
        using var device = new RecordingDevice();
        var call = new KernelCall(device);

        ArgumentException error = Assert.Throws<ArgumentException>(() => call.Of(1).With(ones(3, 2).t()));

        Assert.Equal("A kernel was given a tensor of shape [2, 3] that is not contiguous.", error.Message);
    }

    private sealed class RecordingDevice : IKernelDevice
    {
        public string Target => "a recorder";

        public int Multiprocessors => 1;

        public int MostSharedBytes => 0;

        public (nint Function, (int X, int Y) Grid, int Threads, int SharedBytes) Call { get; private set; }

        public nint[] Arguments { get; private set; } = [];

        public IReadOnlyDictionary<string, nint> Compile(KernelSource source) => new Dictionary<string, nint>();

        public void Launch(nint function, (int X, int Y) grid, int threads, int sharedBytes, ReadOnlySpan<nint> arguments)
        {
            Call = (function, grid, threads, sharedBytes);
            Arguments = arguments.ToArray();
        }

        public void Dispose() { }
    }
}
