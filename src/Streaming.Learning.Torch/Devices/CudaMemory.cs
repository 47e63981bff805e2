using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Memory of the thread's current CUDA device, asked of the driver: TorchSharp has no call for it, and its packages give CUDA's runtime library a name of their own.</summary>
internal static class CudaMemory
{
    /// <summary>Bytes in use by all processes, and in all; null without a driver, or before the device was used.</summary>
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
