using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Benchmarks;

/// <summary>The peer of the benchmarks: libtorch in this process, through TorchSharp's bindings of its operators.</summary>
internal static class LibtorchPeer
{
    /// <summary>Loads libtorch and gives it its threads.</summary>
    /// <returns>Its version and the allocator.</returns>
    public static string Open(int threads)
    {
        InitializeDeviceType(DeviceType.CPU);
        set_num_threads(threads);
        manual_seed(1);
        string allocator = (Environment.GetEnvironmentVariable("LD_PRELOAD") ?? "").Contains("jemalloc", StringComparison.Ordinal) ? "jemalloc" : "glibc's allocator";
        return $"libtorch {__version__}, {allocator}, {get_num_threads()} threads";
    }
}
