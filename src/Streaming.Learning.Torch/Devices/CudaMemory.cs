using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch;

/// <summary>Memory of the current CUDA device, as the driver sees it; TorchSharp has no call for it.</summary>
internal static class CudaMemory
{
    /// <summary>Bytes in use by all processes, and in all; null where CUDA's runtime library is not loaded.</summary>
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

    [DllImport("libcudart.so.12", EntryPoint = "cudaMemGetInfo")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int Query(out nuint free, out nuint total);
}
