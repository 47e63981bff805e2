namespace Streaming.Learning.Torch.Cuda;

/// <summary>Items.cu, compiled for a model.</summary>
internal sealed class ItemKernels
{
    /// <summary>Stands for no item among an int32 list of rows.</summary>
    public const int Absent = int.MaxValue;

    /// <summary>Entries that a warp adds.</summary>
    public const int Chunk = 32;

    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    private ItemKernels(IKernelDevice device, IReadOnlyDictionary<string, nint> functions)
    {
        Device = device;
        Key = functions["key_entries"];
        Mark = functions["mark_rows"];
        Number = functions["number_rows"];
        Gather = functions["gather_rows"];
        SumChunks = functions["sum_chunks"];
        SumParts = functions["sum_parts"];
    }

    /// <summary>Gets the device.</summary>
    public IKernelDevice Device { get; }

    /// <summary>Gets the keys that entries are sorted by.</summary>
    public nint Key { get; }

    /// <summary>Gets the marks where rows begin among sorted entries.</summary>
    public nint Mark { get; }

    /// <summary>Gets the numbers of the distinct rows.</summary>
    public nint Number { get; }

    /// <summary>Gets the vectors of entries.</summary>
    public nint Gather { get; }

    /// <summary>Gets the sums of gradients by chunks of entries.</summary>
    public nint SumChunks { get; }

    /// <summary>Gets the sums of the rows that several chunks share.</summary>
    public nint SumParts { get; }

    /// <summary>The source for widths.</summary>
    public static KernelSource Source(ReadOnlySpan<int> widths) => KernelSource.Nested(["Rows.cuh", "Items.cu"], widths, "BF16=0");

    /// <summary>Compiles them.</summary>
    /// <exception cref="KernelException">They do not compile.</exception>
    public static ItemKernels Compile(IKernelDevice device, ReadOnlySpan<int> widths) => new(device, device.Compile(Source(widths)));
}
