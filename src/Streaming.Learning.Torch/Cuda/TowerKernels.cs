namespace Streaming.Learning.Torch.Cuda;

/// <summary>Tower.cu, compiled for a model.</summary>
internal sealed class TowerKernels
{
    /// <summary>Rows that a block processes at a time, a warp each.</summary>
    public const int Warps = 8;

    private TowerKernels(IKernelDevice device, IReadOnlyDictionary<string, nint> functions, bool bfloat16)
    {
        Bfloat16 = bfloat16;
        Device = device;
        StartForward = functions["start_forward"];
        JoinForward = functions["join_forward"];
        JoinBackward = functions["join_backward"];
        GateForward = functions["gate_forward"];
        GateBackward = functions["gate_backward"];
        ScanForward = functions["scan_forward"];
        ScanBackward = functions["scan_backward"];
        ScanFinish = functions["scan_finish"];
        AddParts = functions["add_parts"];
    }

    /// <summary>Gets the device.</summary>
    public IKernelDevice Device { get; }

    /// <summary>Gets whether activations are stored in bfloat16, else float32.</summary>
    public bool Bfloat16 { get; }

    /// <summary>Gets item vectors, dropout and norm.</summary>
    public nint StartForward { get; }

    /// <summary>Gets dropout, residual and norm.</summary>
    public nint JoinForward { get; }

    /// <summary>Gets their gradient.</summary>
    public nint JoinBackward { get; }

    /// <summary>Gets SiLU times dropout.</summary>
    public nint GateForward { get; }

    /// <summary>Gets its gradient.</summary>
    public nint GateBackward { get; }

    /// <summary>Gets the recurrence.</summary>
    public nint ScanForward { get; }

    /// <summary>Gets its gradient.</summary>
    public nint ScanBackward { get; }

    /// <summary>Gets the gradient of the recurrence's parameters from partial sums.</summary>
    public nint ScanFinish { get; }

    /// <summary>Gets the gradient of norms and biases from partial sums.</summary>
    public nint AddParts { get; }

    /// <summary>The source for widths.</summary>
    /// <param name="widths">Nested widths.</param>
    /// <param name="bfloat16">Whether activations are stored in bfloat16, else float32.</param>
    public static KernelSource Source(ReadOnlySpan<int> widths, bool bfloat16) =>
        KernelSource.Nested(["Rows.cuh", "Tower.cu"], widths, $"BF16={(bfloat16 ? 1 : 0)}");

    /// <summary>Compiles them.</summary>
    /// <exception cref="KernelException">They do not compile.</exception>
    public static TowerKernels Compile(IKernelDevice device, ReadOnlySpan<int> widths, bool bfloat16) =>
        new(device, device.Compile(Source(widths, bfloat16)), bfloat16);
}
