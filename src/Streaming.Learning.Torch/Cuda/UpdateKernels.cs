namespace Streaming.Learning.Torch.Cuda;

/// <summary>Update.cu, compiled for a model.</summary>
internal sealed class UpdateKernels
{
    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    private UpdateKernels(IKernelDevice device, IReadOnlyDictionary<string, nint> functions)
    {
        Device = device;
        Squares = functions["square_sums"];
        Gate = functions["update_gate"];
        Dense = functions["update_dense"];
        Rows = functions["update_rows"];
    }

    /// <summary>Gets the device.</summary>
    public IKernelDevice Device { get; }

    /// <summary>Gets sums of squares.</summary>
    public nint Squares { get; }

    /// <summary>Gets the decision on the step.</summary>
    public nint Gate { get; }

    /// <summary>Gets AdamW over the dense parameters.</summary>
    public nint Dense { get; }

    /// <summary>Gets the update of item rows.</summary>
    public nint Rows { get; }

    /// <summary>The source for widths.</summary>
    public static KernelSource Source(ReadOnlySpan<int> widths) => KernelSource.Nested(["Update.cu"], widths);

    /// <summary>Compiles them.</summary>
    /// <exception cref="KernelException">They do not compile.</exception>
    public static UpdateKernels Compile(IKernelDevice device, ReadOnlySpan<int> widths) => new(device, device.Compile(Source(widths)));
}
