namespace Streaming.Learning.Torch.Cuda;

/// <summary>NestedSoftmax.cu, compiled for a model.</summary>
internal sealed class SoftmaxKernels
{
    /// <summary>Rows of a block.</summary>
    public const int Rows = 64;

    /// <summary>Candidates of a tile.</summary>
    public const int Columns = 32;

    /// <summary>Threads of a block.</summary>
    public const int Threads = 128;

    private const int MostDimension = 256;

    private SoftmaxKernels(IKernelDevice device, IReadOnlyDictionary<string, nint> functions, int sharedBytes)
    {
        Device = device;
        SharedBytes = sharedBytes;
        Inverses = functions["prefix_inverses"];
        Sums = functions["softmax_sums"];
        Finish = functions["softmax_finish"];
        Users = functions["softmax_users"];
        Candidates = functions["softmax_candidates"];
        Collect = functions["softmax_collect"];
    }

    /// <summary>Gets the device.</summary>
    public IKernelDevice Device { get; }

    /// <summary>Gets the shared memory of a block of <see cref="Sums"/>, <see cref="Users"/> and <see cref="Candidates"/>.</summary>
    public int SharedBytes { get; }

    /// <summary>Gets the inverse lengths of prefixes.</summary>
    public nint Inverses { get; }

    /// <summary>Gets the log-sums of the rows.</summary>
    public nint Sums { get; }

    /// <summary>Gets losses and coefficients.</summary>
    public nint Finish { get; }

    /// <summary>Gets the gradient by users.</summary>
    public nint Users { get; }

    /// <summary>Gets the gradient by the step's candidates.</summary>
    public nint Candidates { get; }

    /// <summary>Gets the sum of a gradient's parts.</summary>
    public nint Collect { get; }

    /// <summary>The source for widths and a variant.</summary>
    /// <param name="widths">Nested widths.</param>
    /// <param name="cosine">Whether scores are cosines.</param>
    /// <param name="exact">Whether products have float32 accuracy, else TF32.</param>
    /// <exception cref="KernelException">The widths are not supported.</exception>
    public static KernelSource Source(ReadOnlySpan<int> widths, bool cosine, bool exact)
    {
        if (widths[^1] > MostDimension || widths.ToArray().Any(width => width % 4 != 0))
        {
            throw new KernelException(
                $"the widths are {string.Join(", ", widths.ToArray())}; the kernels take multiples of 4 up to {MostDimension}"
            );
        }

        return KernelSource.Nested(["NestedSoftmax.cu"], widths, $"EXACT={(exact ? 1 : 0)}", $"COSINE={(cosine ? 1 : 0)}");
    }

    /// <summary>Compiles them.</summary>
    /// <exception cref="KernelException">The widths are not supported, they do not compile, or a block has too little memory.</exception>
    public static SoftmaxKernels Compile(IKernelDevice device, ReadOnlySpan<int> widths, bool cosine, bool exact)
    {
        KernelSource source = Source(widths, cosine, exact);
        int shared = Shared(widths, cosine);
        return shared <= device.MostSharedBytes
            ? new SoftmaxKernels(device, device.Compile(source), shared)
            : throw new KernelException(
                $"widths up to {widths[^1]} need {shared:N0} bytes of shared memory; a block of {device.Target} has "
                    + $"{device.MostSharedBytes:N0}"
            );
    }

    // As in the source: rows, two tiles of vectors with their constants, and for cosines of wide rows their inverse lengths and sums.
    private static int Shared(ReadOnlySpan<int> widths, bool cosine)
    {
        int padded = 0,
            begin = 0;
        foreach (int width in widths)
        {
            padded += (width - begin + 7) / 8 * 8;
            begin = width;
        }

        int constants = 2 + ((cosine ? 2 : 1) * widths.Length),
            own = cosine && padded > 128 ? widths.Length * (Rows + (2 * Threads)) : 0;
        return sizeof(float) * ((Rows * (padded + 4)) + (2 * Columns * (padded + 4 + constants)) + own);
    }
}
