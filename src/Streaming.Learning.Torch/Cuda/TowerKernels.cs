namespace Streaming.Learning.Torch.Cuda;

/// <summary>Tower.cu, compiled for a model.</summary>
internal sealed class TowerKernels
{
    /// <summary>Rows that a block processes at a time, a warp each.</summary>
    public const int Warps = 8;

    private static readonly string[] Names =
    [
        "join_forward",
        "join_backward",
        "gate_forward",
        "gate_backward",
        "scan_forward",
        "scan_backward",
        "scan_finish",
        "add_parts",
    ];

    private TowerKernels(IKernelDevice device, IReadOnlyDictionary<string, nint> functions)
    {
        Device = device;
        JoinForward = functions[Names[0]];
        JoinBackward = functions[Names[1]];
        GateForward = functions[Names[2]];
        GateBackward = functions[Names[3]];
        ScanForward = functions[Names[4]];
        ScanBackward = functions[Names[5]];
        ScanFinish = functions[Names[6]];
        AddParts = functions[Names[7]];
    }

    /// <summary>Gets the device.</summary>
    public IKernelDevice Device { get; }

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
    public static KernelSource Source(ReadOnlySpan<int> widths) => KernelSource.Nested("Tower.cu", widths, [], Names);

    /// <summary>Compiles them.</summary>
    /// <exception cref="KernelException">They do not compile.</exception>
    public static TowerKernels Compile(IKernelDevice device, ReadOnlySpan<int> widths) => new(device, device.Compile(Source(widths)));
}
