using System.Runtime.InteropServices;
using TorchSharp;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Loads TorchSharp's native library with libtorch. TorchSharp itself says only that a package is missing, whatever the reason; here the dynamic loader has the word.</summary>
internal static class TorchLibrary
{
    /// <summary>What to do in a build that has no libtorch.</summary>
    public const string HowToGet = "build with -p:Torch=cpu or -p:Torch=cuda, or the image with TORCH=cpu or TORCH=cuda";

    private const string Binding = "LibTorchSharp";

    /// <summary>Loads it, unless it is loaded.</summary>
    /// <param name="library">Name or path.</param>
    /// <exception cref="TorchDeviceException">It does not load: what the loader said, and what to do.</exception>
    public static void Load(string library = Binding)
    {
        try
        {
            NativeLibrary.Load(library, typeof(torch).Assembly, null);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            string said = Reason(error.Message);
            throw new TorchDeviceException($"libtorch cannot be loaded: {said}. {Advice(said)}, or set STREAMING__Training__Engine=Cpu.", error);
        }
    }

    /// <summary>Requires a libtorch that knows CUDA: TorchSharp would look for one in many places and then name a package.</summary>
    /// <param name="device">The device that was asked for.</param>
    /// <param name="folders">Where native libraries are looked for; null: where the runtime does.</param>
    /// <exception cref="TorchDeviceException">The libtorch of this build is the processor's.</exception>
    public static void RequireCuda(string device, string? folders = null)
    {
        folders ??= (string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? AppContext.BaseDirectory;
        if (folders.Split(':').FirstOrDefault(folder => File.Exists(Path.Combine(folder, "libtorch_cpu.so"))) is { } folder && !File.Exists(Path.Combine(folder, "libtorch_cuda.so")))
        {
            throw new TorchDeviceException($"Device is '{device}', but this build has libtorch for the processor only ({folder} has libtorch_cpu.so, but no libtorch_cuda.so). Build with -p:Torch=cuda, or set STREAMING__Training__Device=cpu.");
        }
    }

    // .NET tries several names and paths, a line each; all but one say that there is no such file.
    private static string Reason(string message)
    {
        string[] lines = [.. message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Skip(1)];
        string? reason = lines.FirstOrDefault(line => !line.Contains($"{Binding}: cannot open", StringComparison.Ordinal) && !line.Contains($"{Binding}.so: cannot open", StringComparison.Ordinal));
        return (reason ?? lines.FirstOrDefault() ?? message).TrimEnd('.');
    }

    private static string Advice(string reason) => reason switch
    {
        _ when reason.Contains("GLIBC", StringComparison.Ordinal) || reason.Contains("CXXABI", StringComparison.Ordinal) =>
            "This system's C and C++ runtime (Debian's packages libc6 and libstdc++6) is older than the one the library was built with, GCC 13's: use Debian 13, Ubuntu 24.04 or later, or the .NET container images",
        _ when reason.Contains("libtorch", StringComparison.Ordinal) || reason.Contains(Binding, StringComparison.Ordinal) => $"This build has no libtorch: {HowToGet}",
        _ => "Install the package that has the file named",
    };
}
