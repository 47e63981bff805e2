using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Memory of the thread's current CUDA device, queried from the driver: TorchSharp has no call for it, and its packages
/// rename CUDA's runtime library.</summary>
internal static class CudaMemory
{
    /// <summary>Bytes used by all processes, and total bytes; null without a driver, or before the device was used.</summary>
    public static (long Used, long Total)? Read()
    {
        try
        {
            return Query(out nuint free, out nuint total) == 0 ? ((long)(total - free), (long)total) : null;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport("libcuda.so.1", EntryPoint = "cuMemGetInfo_v2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Query(out nuint free, out nuint total);
}
