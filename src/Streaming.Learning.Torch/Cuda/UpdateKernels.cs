namespace Streaming.Learning.Torch.Cuda;

/// <summary>Update.cu, compiled for a model.</summary>
internal sealed class UpdateKernels
{
    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    private static readonly string[] Names = ["square_sums", "update_gate", "update_dense", "update_rows"];

    private UpdateKernels(IKernelDevice device, IReadOnlyDictionary<string, nint> functions)
    {
        Device = device;
        Squares = functions[Names[0]];
        Gate = functions[Names[1]];
        Dense = functions[Names[2]];
        Rows = functions[Names[3]];
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
    public static KernelSource Source(ReadOnlySpan<int> widths) => KernelSource.Nested("Update.cu", widths, [], Names);

    /// <summary>Compiles them.</summary>
    /// <exception cref="KernelException">They do not compile.</exception>
    public static UpdateKernels Compile(IKernelDevice device, ReadOnlySpan<int> widths) => new(device, device.Compile(Source(widths)));
}
