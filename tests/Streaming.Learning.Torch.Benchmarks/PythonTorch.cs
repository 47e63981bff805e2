using System.Diagnostics;
using System.Globalization;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>The same step in PyTorch, in a separate process: one request and one answer per line.</summary>
internal sealed class PythonTorch : IDisposable
{
    private readonly Process _process;

    private PythonTorch(string python)
    {
        _process =
            Process.Start(
                new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "torch_peer.py")])
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                }
            ) ?? throw new InvalidOperationException($"{python} did not start.");
        Version = Read();
    }

    /// <summary>Gets PyTorch's version.</summary>
    public string Version { get; }

    /// <summary>Starts it; prints a message and returns null if this Python has no PyTorch.</summary>
    public static PythonTorch? Start(string python)
    {
        if (!File.Exists(python) || !HasTorch(python))
        {
            Console.WriteLine(
                $"PyTorch is not measured: {python} {(File.Exists(python) ? "has no module torch" : "does not exist")}. Set python=FILE "
                    + "to one that has it."
            );
            return null;
        }

        return new PythonTorch(python);
    }

    /// <summary>Sends a request and returns the numbers of its answer.</summary>
    public double[] Ask(string request)
    {
        _process.StandardInput.WriteLine(request);
        _process.StandardInput.Flush();
        return
        [
            .. Read().Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture)),
        ];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(10_000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static bool HasTorch(string python)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(python, ["-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"])
        )!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private string Read() =>
        _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("PyTorch's process ended; its error output says why.");
}
