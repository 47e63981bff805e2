using System.Runtime.InteropServices;

namespace Streaming.Worker.Shutdown;

/// <summary>Ends the process whatever its threads wait for.</summary>
public static class ProcessEnd
{
    /// <summary>Ends it now: no handler, finaliser or buffer is waited for. For when the orderly end takes too long.</summary>
    /// <param name="code">Exit code.</param>
    public static void Now(int code)
    {
        if (OperatingSystem.IsWindows())
        {
            Environment.FailFast($"ended with code {code}");
        }

        // Environment.Exit waits for handlers, any of which may be what hangs.
        Exit(code);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Exit(int code);
}
