using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>The peer of the benchmarks: libtorch in this process, through TorchSharp's bindings of its operators.</summary>
internal static class LibtorchPeer
{
    /// <summary>Loads libtorch and sets its threads.</summary>
    /// <returns>Its version, the vectors of its product, the allocator and the threads.</returns>
    public static string Open(int threads)
    {
        InitializeDeviceType(DeviceType.CPU);
        bool vectors = MklVendorCheck.Answer();
        set_num_threads(threads);
        manual_seed(1);
        string allocator = (Environment.GetEnvironmentVariable("LD_PRELOAD") ?? "").Contains("jemalloc", StringComparison.Ordinal)
            ? "jemalloc"
            : "glibc's allocator";
        return $"libtorch {__version__}, MKL with {(vectors ? "all of the processor's vectors" : "the vectors that it chooses")}, "
            + $"{allocator}, {get_num_threads()} threads";
    }
}
