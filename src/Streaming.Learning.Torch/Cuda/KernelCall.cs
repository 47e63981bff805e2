using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>The arguments of a launch, collected in memory that is reused: nothing is allocated per launch.</summary>
/// <remarks>Not thread-safe; launch before the next call begins.</remarks>
internal sealed class KernelCall
{
    private const int MostBytes = 1024;
    private const int MostArguments = 32;
    private readonly IKernelDevice _device;
    private readonly byte[] _values = GC.AllocateArray<byte>(MostBytes, pinned: true);
    private readonly nint[] _addresses = new nint[MostArguments];
    private nint _function;
    private int _bytes;
    private int _count;

    /// <summary>Creates an empty call.</summary>
    public KernelCall(IKernelDevice device)
    {
        _device = device;
    }

    /// <summary>Starts a call.</summary>
    public KernelCall Of(nint function)
    {
        (_function, _bytes, _count) = (function, 0, 0);
        return this;
    }

    /// <summary>Adds the address of a tensor's values; null for none.</summary>
    /// <exception cref="ArgumentException">The tensor is not contiguous.</exception>
    public KernelCall With(Tensor? tensor) => With(Address(tensor));

    /// <summary>Adds a value; structures have C's layout.</summary>
    public KernelCall With<T>(T value)
        where T : unmanaged
    {
        int at = (_bytes + 7) & ~7;
        MemoryMarshal.Write(_values.AsSpan(at), in value);
        _addresses[_count++] = Marshal.UnsafeAddrOfPinnedArrayElement(_values, at);
        _bytes = at + Unsafe.SizeOf<T>();
        return this;
    }

    /// <summary>Launches it.</summary>
    public void Launch((int X, int Y) grid, int threads, int sharedBytes = 0) =>
        _device.Launch(_function, grid, threads, sharedBytes, _addresses.AsSpan(0, _count));

    /// <summary>Launches it with a warp for each row, eight to a block.</summary>
    public void LaunchWarps(long rows) => Launch(((int)((rows + 7) / 8), 1), 256);

    /// <summary>Address of a tensor's first value; 0 for null.</summary>
    /// <exception cref="ArgumentException">The tensor is not contiguous.</exception>
    public static nint Address(Tensor? tensor)
    {
        if (tensor is null)
        {
            return 0;
        }

        if (!tensor.is_contiguous())
        {
            throw new ArgumentException(
                $"A kernel was given a tensor of shape [{string.Join(", ", tensor.shape)}] that is not contiguous."
            );
        }

        return Data(tensor.Handle);
    }

    // Unlike the storage's address this one includes the offset of a view.
    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Data(nint tensor);
}
