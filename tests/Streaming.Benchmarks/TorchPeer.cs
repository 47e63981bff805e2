using System.Diagnostics;
using System.Globalization;

namespace Streaming.Benchmarks;

/// <summary>PyTorch in a process of its own: a request a line, an answer a line.</summary>
internal sealed class TorchPeer : IDisposable
{
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
        start.Environment["PEER_CLOCK"] = Timing.ProcessorTime ? "processor" : "wall";
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{python} did not start.");
        Version = Read();
    }

    /// <summary>Gets the versions of PyTorch and its BLAS.</summary>
    public string Version { get; }

    /// <summary>Numbers that a request answers with.</summary>
    public double[] Ask(string request)
    {
        _process.StandardInput.WriteLine(request);
        _process.StandardInput.Flush();
        return [.. Read().Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
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

    private string Read() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The PyTorch peer ended; its error output says why.");
}
