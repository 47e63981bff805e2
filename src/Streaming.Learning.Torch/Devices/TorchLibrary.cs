using System.Runtime.InteropServices;
using TorchSharp;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Loads TorchSharp's native library and libtorch. TorchSharp itself reports a missing package whatever the reason; this
/// reports the dynamic loader's error.</summary>
internal static class TorchLibrary
{
    /// <summary>How to get a build with libtorch.</summary>
    public const string HowToGet = "build with -p:Torch=cpu or -p:Torch=cuda, or the image with TORCH=cpu or TORCH=cuda";

    private const string Binding = "LibTorchSharp";

    /// <summary>Loads the library, unless it is already loaded.</summary>
    /// <param name="library">Name or path.</param>
    /// <exception cref="TorchDeviceException">It cannot be loaded: the loader's error, and what to do.</exception>
    public static void Load(string library = Binding)
    {
        try
        {
            NativeLibrary.Load(library, typeof(torch).Assembly, null);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            string said = Reason(error.Message);
            throw new TorchDeviceException($"Cannot load libtorch: {said}. {Advice(said)}, or set STREAMING__Training__Engine=Cpu.", error);
        }
    }

    /// <summary>Requires a libtorch with CUDA: TorchSharp would search for one in many places and then name a package.</summary>
    /// <param name="device">The requested device.</param>
    /// <param name="folders">The folders to search for native libraries; null: those of the runtime.</param>
    /// <exception cref="TorchDeviceException">This build's libtorch is CPU-only.</exception>
    public static void RequireCuda(string device, string? folders = null)
    {
        folders ??= (string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? AppContext.BaseDirectory;
        if (
            folders.Split(':').FirstOrDefault(folder => File.Exists(Path.Combine(folder, "libtorch_cpu.so"))) is { } folder
            && !File.Exists(Path.Combine(folder, "libtorch_cuda.so"))
        )
        {
            throw new TorchDeviceException(
                $"Device is '{device}', but this build's libtorch is CPU-only ({folder} has libtorch_cpu.so, but no libtorch_cuda.so). "
                    + "Build with -p:Torch=cuda, or set STREAMING__Training__Device=cpu."
            );
        }
    }

    // .NET tries several names and paths, one per line; all but one report a missing file.
    private static string Reason(string message)
    {
        string[] lines = [.. message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Skip(1)];
        string? reason = lines.FirstOrDefault(line =>
            !line.Contains($"{Binding}: cannot open", StringComparison.Ordinal)
            && !line.Contains($"{Binding}.so: cannot open", StringComparison.Ordinal)
        );
        return (reason ?? lines.FirstOrDefault() ?? message).TrimEnd('.');
    }

    private static string Advice(string reason) =>
        reason switch
        {
            _ when reason.Contains("GLIBC", StringComparison.Ordinal) || reason.Contains("CXXABI", StringComparison.Ordinal) =>
                "This system's C and C++ runtime (Debian's packages libc6 and libstdc++6) is older than the library requires (GCC 13): "
                    + "use Debian 13, Ubuntu 24.04 or later, or the .NET container images",
            _ when reason.Contains("libtorch", StringComparison.Ordinal) || reason.Contains(Binding, StringComparison.Ordinal) =>
                $"This build has no libtorch: {HowToGet}",
            _ => "Install the package that provides the named file",
        };
}
