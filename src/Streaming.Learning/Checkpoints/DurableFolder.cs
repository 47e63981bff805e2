using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Learning.Checkpoints;

/// <summary>Makes the entries of a folder durable: a rename survives a power cut only when the folder was synchronised.</summary>
internal static class DurableFolder
{
    /// <summary>Synchronises a folder with the disk (fsync on it). Windows needs and has no such call.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Synchronize(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // .NET opens no folders, hence the C library. O_RDONLY is 0 everywhere.
        int descriptor = Native.Open(Encoding.UTF8.GetBytes(path + '\0'), 0);
        if (descriptor < 0)
        {
            throw new IOException($"Folder '{path}' cannot be opened: error {Marshal.GetLastPInvokeError()}.");
        }

        int result = Native.Synchronize(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Native.Close(descriptor);
        if (result != 0)
        {
            throw new IOException($"Folder '{path}' cannot be synchronised with the disk: error {error}.");
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
