using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Modules;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>What the parts of a fused tower share: kernels, dropout, and the launches that all need.</summary>
internal sealed class FusedCalls(TowerKernels kernels, DropoutSource dropout, int dimension)
{
    // Blocks per multiprocessor; each writes partial sums of its rows.
    private const int Waves = 4;
    private readonly KernelCall _call = new(kernels.Device);

    /// <summary>Gets the kernels.</summary>
    public TowerKernels Kernels => kernels;

    /// <summary>Gets D.</summary>
    public int Dimension => dimension;

    /// <summary>Starts a call.</summary>
    public KernelCall Of(nint kernel) => _call.Of(kernel);

    /// <summary>Gets the call that was started, to add further arguments.</summary>
    public KernelCall Then => _call;

    /// <summary>Dropout at one place of the tower, as an argument.</summary>
    public DropoutArguments Dropout(int site) => dropout.Arguments(site);

    /// <summary>Blocks for rows that a warp processes each.</summary>
    public int Blocks(long rows) =>
        (int)Math.Clamp((rows + TowerKernels.Warps - 1) / TowerKernels.Warps, 1, Waves * kernels.Device.Multiprocessors);

    /// <summary>Gets the type of activations and their gradients.</summary>
    public ScalarType Kept => kernels.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>New activations.</summary>
    public Tensor Empty(Device device, params long[] shape) => empty(shape, dtype: Kept, device: device);

    /// <summary>A new tensor for partial sums, float32.</summary>
    public static Tensor Partial(Device device, params long[] shape) => empty(shape, dtype: ScalarType.Float32, device: device);

    /// <summary>Shared memory in which a block adds its warps' sums.</summary>
    public int SharedBytes(int sections) => TowerKernels.Warps * sections * dimension * sizeof(float);

    /// <summary>Adds partial sums [parts × sections × D] to gradients, some of which may be null.</summary>
    public void AddParts(Tensor partial, Tensor? first, Tensor? second, Tensor? third = null)
    {
        int sections = (int)partial.shape[1];
        _call.Of(kernels.AddParts).With(partial).With((int)partial.shape[0]).With(sections).With(first).With(second).With(third);
        _call.Launch(((dimension + 31) / 32, sections), 32 * TowerKernels.Warps, TowerKernels.Warps * 32 * sizeof(float));
    }
}
