using System.Collections.Concurrent;
using System.Diagnostics;

namespace Streaming.Lab.Embedded;

/// <summary>
/// Starts programs that end with this process however it ends, by the parent-death signal: one that is killed cleans nothing up. The
/// signal comes when the thread that started the program ends, so one thread starts them all and stays.
/// </summary>
internal static class ChildProcess
{
    private static readonly BlockingCollection<(Process Process, TaskCompletionSource Started)> Requests = [];

    static ChildProcess() => new Thread(Run) { IsBackground = true, Name = "children" }.Start();

    /// <summary>
    /// Gets what goes before a program's path: util-linux's setpriv, which sets the signal and becomes the program; nothing where there is
    /// none.
    /// </summary>
    public static string[] Launcher { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(static folder => Path.Combine(folder, "setpriv"))
            .FirstOrDefault(File.Exists)
            is { } setpriv
            ? [setpriv, "--pdeathsig", "KILL", "--"]
            : [];

    /// <summary>Starts it.</summary>
    public static void Start(Process process)
    {
        var started = new TaskCompletionSource();
        Requests.Add((process, started));
        started.Task.GetAwaiter().GetResult();
    }

    private static void Run()
    {
        foreach ((Process process, TaskCompletionSource started) in Requests.GetConsumingEnumerable())
        {
            try
            {
                process.Start();
                started.SetResult();
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        }
    }
}
