using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Benchmarks;

/// <summary>PyTorch in a process of its own: a request a line, an answer a line.</summary>
internal sealed class TorchPeer : IDisposable
{
    // Idle threads of both sides spin for a while: neither is timed while the other's do.
    private const int SettleMilliseconds = 10;

    // By PyTorch's tuning guide. glibc gives large blocks back to the system after every use and takes page faults for them
    // again, which made the peer up to ten times slower in some virtual machines.
    private const string Jemalloc = "oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1";

    private readonly Process _process;

    public TorchPeer(string python, int threads)
    {
        ProcessStartInfo start = new(python)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "torch_peer.py") },
        };
        start.Environment["OMP_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        start.Environment["OPENBLAS_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        if (Avx512F.IsSupported)
        {
            // Of a processor that it does not know OpenBLAS uses the half; so does one that the environment tells to.
            start.Environment["OPENBLAS_CORETYPE"] = "SkylakeX";
        }

        if (JemallocFile() is { } allocator)
        {
            start.Environment["LD_PRELOAD"] = allocator;
            start.Environment["MALLOC_CONF"] = Jemalloc;
        }

        start.Environment["PEER_CLOCK"] = Timing.ProcessorTime ? "processor" : "wall";
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{python} did not start.");
        Version = Read();
    }

    /// <summary>Gets the versions of PyTorch and its BLAS, and the allocator.</summary>
    public string Version { get; }

    /// <summary>Numbers that a request answers with.</summary>
    public double[] Ask(string request)
    {
        Thread.Sleep(SettleMilliseconds);
        _process.StandardInput.WriteLine(request);
        _process.StandardInput.Flush();
        string answer = Read();
        Thread.Sleep(SettleMilliseconds);
        return [.. answer.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
    }

    /// <summary>Seconds of one repetition.</summary>
    public double Time(string request) => Ask(request)[0];

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(10_000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string? JemallocFile() =>
        new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64" }.Select(folder => Path.Combine(folder, "libjemalloc.so.2")).FirstOrDefault(File.Exists);

    private string Read() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The PyTorch peer ended; its error output says why.");
}
