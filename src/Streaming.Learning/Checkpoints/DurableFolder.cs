using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Learning.Checkpoints;

/// <summary>Makes the entries of a folder durable: a rename survives a power loss only once the folder has been synced.</summary>
internal static class DurableFolder
{
    /// <summary>Syncs a folder to disk (fsync). Windows has no such call and needs none.</summary>
    /// <exception cref="IOException">The sync failed.</exception>
    public static void Synchronize(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // .NET cannot open folders, hence the C library. O_RDONLY is 0 on all platforms.
        int descriptor = Native.Open(Encoding.UTF8.GetBytes(path + '\0'), 0);
        if (descriptor < 0)
        {
            throw new IOException($"Cannot open folder '{path}': error {Marshal.GetLastPInvokeError()}.");
        }

        int result = Native.Synchronize(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Native.Close(descriptor);
        if (result != 0)
        {
            throw new IOException($"Cannot sync folder '{path}' to disk: error {error}.");
        }
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Open(byte[] path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Synchronize(int descriptor);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }
}
