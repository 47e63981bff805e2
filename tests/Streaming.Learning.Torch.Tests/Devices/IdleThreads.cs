using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Tests.Devices;

/// <summary>
/// Libtorch's threads spin while they wait for each other. Where other tests use the cores too, that takes more time than all that
/// these tests compute, so here they sleep. OpenMP reads the setting when libtorch is loaded.
/// </summary>
internal static partial class IdleThreads
{
    [ModuleInitializer]
    public static void Sleep() => _ = SetEnvironment("OMP_WAIT_POLICY", "passive", overwrite: 0);

    // .NET's own function changes the environment of managed code and of child processes, not that of native libraries.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
