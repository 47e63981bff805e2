using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>
/// MKL checks the CPU vendor and selects a slower product on others than Intel's: 95 instead of 230 GFLOP/s
/// on one core of a Zen 5. For a fair comparison the check is made to pass in this process, as is usual with MKL.
/// </summary>
internal static class MklVendorCheck
{
    private const int ReadWriteExecute = 7;
    private const string Question = "mkl_serv_intel_cpu_true";

    /// <summary>Replaces the function in memory. Call after libtorch is loaded and before its first product.</summary>
    /// <returns>Whether MKL now uses the CPU's full vectors.</returns>
    public static bool Answer()
    {
        if (
            !Avx2.IsSupported
            || !NativeLibrary.TryLoad("libtorch_cpu.so", typeof(MklVendorCheck).Assembly, null, out nint library)
            || !NativeLibrary.TryGetExport(library, Question, out nint function)
        )
        {
            return false;
        }

        // mov eax, 1; ret.
        byte[] yes = [0xB8, 1, 0, 0, 0, 0xC3];
        nint page = function & ~(Environment.SystemPageSize - 1);
        if (Protect(page, 2 * Environment.SystemPageSize, ReadWriteExecute) != 0)
        {
            return false;
        }

        Marshal.Copy(yes, 0, function, yes.Length);
        return true;
    }

    [DllImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Protect(nint address, nint length, int protection);
}
