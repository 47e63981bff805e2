using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Tests.Cuda;

/// <summary>FakeCuda.cpp, built by g++ and loaded in place of NVIDIA's driver, and as NVRTC in a folder of its own. Only where there is
/// no driver: the process keeps it.</summary>
internal static unsafe class FakeCuda
{
    private static readonly nint Library = Load();

    /// <summary>The folder that has it as NVRTC.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "fake-cuda");

    /// <summary>What it was asked, a line each.</summary>
    public static string[] Log => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Export("fake_log"))())!.Split('\n')[..^1];

    /// <summary>Contexts that were pushed and not popped.</summary>
    public static int Depth => ((delegate* unmanaged<int>)Export("fake_depth"))();

    /// <summary>Forgets answers and questions.</summary>
    public static void Reset() => ((delegate* unmanaged<void>)Export("fake_reset"))();

    /// <summary>Sets the answer of a function, or a property.</summary>
    public static void Set(string name, int value)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        ((delegate* unmanaged<nint, int, void>)Export("fake_set"))(text, value);
        Marshal.FreeCoTaskMem(text);
    }

    private static nint Export(string name) => NativeLibrary.GetExport(Library, name);

    // As libcuda.so.1 by its name inside, which the dynamic loader finds once it is loaded; under NVRTC's name it is the same library.
    private static nint Load()
    {
        Directory.CreateDirectory(Folder);
        string source = Path.Combine(AppContext.BaseDirectory, "FakeCuda.cpp"),
            file = Path.Combine(Folder, "libnvrtc.so.12");
        string[] options = ["-std=c++17", "-O1", "-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o", file, source];
        using Process process = Process.Start(new ProcessStartInfo("g++", options))!;
        process.WaitForExit();
        return process.ExitCode == 0 ? NativeLibrary.Load(file) : throw new InvalidOperationException($"g++ failed on {source}.");
    }
}
