using System.Diagnostics;
using Streaming.Benchmarks;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>The same step in PyTorch, where it is installed.</summary>
internal static class PythonTorch
{
    /// <summary>Starts it with a thread for each processor; null where this Python has no PyTorch.</summary>
    public static TorchPeer? Start(string python)
    {
        if (!File.Exists(python) || !HasTorch(python))
        {
            Console.WriteLine($"PyTorch: not there ({python})");
            return null;
        }

        return new TorchPeer(python, Environment.ProcessorCount);
    }

    private static bool HasTorch(string python)
    {
        using var process = Process.Start(new ProcessStartInfo(python, ["-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"]))!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
