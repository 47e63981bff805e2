using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Streaming.Tests.Kafka;

/// <summary>Child processes that never outlive this process.</summary>
internal static class ChildProcesses
{
    private static readonly BlockingCollection<Action> Starts = new(boundedCapacity: 64);

    // The kernel kills a child when the thread that started it ends, and pool threads come and go.
    static ChildProcesses() => new Thread(Run) { IsBackground = true, Name = "child processes" }.Start();

    /// <summary>Starts a program that is killed when this process ends.</summary>
    public static Process Start(ProcessStartInfo program)
    {
        program.ArgumentList.Insert(0, program.FileName);
        program.ArgumentList.Insert(0, "KILL");
        program.ArgumentList.Insert(0, "--pdeathsig");
        program.FileName = "setpriv";
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(program)!);
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        });
        return started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Sends a signal.</summary>
    public static void Signal(this Process process, UnixSignal signal)
    {
        if (Kill(process.Id, (int)signal) != 0)
        {
            throw new InvalidOperationException($"{signal} did not reach process {process.Id}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    private static void Run()
    {
        foreach (Action start in Starts.GetConsumingEnumerable())
        {
            start();
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
