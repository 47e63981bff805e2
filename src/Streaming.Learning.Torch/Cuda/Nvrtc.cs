using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>NVIDIA's run-time compiler, as libtorch's CUDA packages bring it.</summary>
internal sealed unsafe class Nvrtc
{
    // The first is libtorch's own, whose dependencies include NVRTC under a name that differs between packages.
    private static readonly string[] Patterns = ["libcaffe2_nvrtc.so", "libnvrtc-????????.so*", "libnvrtc.so*"];
    private readonly nint _library;

    private Nvrtc(nint library, string file)
    {
        _library = library;
        int major = 0,
            minor = 0;
        Check(((delegate* unmanaged<int*, int*, int>)Export("nvrtcVersion"))(&major, &minor), "reading its version");
        Version = $"NVRTC {major}.{minor}";
        File = file;
    }

    /// <summary>Gets the name and version.</summary>
    public string Version { get; }

    /// <summary>Gets the file that it was loaded from.</summary>
    public string File { get; }

    /// <summary>Loads it from the first of these folders that has it.</summary>
    /// <exception cref="KernelException">None has it, or it cannot be loaded: the loader's words.</exception>
    public static Nvrtc Load(IEnumerable<string> folders)
    {
        var searched = folders.Where(Directory.Exists).ToList();
        foreach (string folder in searched)
        {
            // NVRTC opens its built-in headers by a name that they do not have in all packages; once loaded they are found by the
            // name inside them.
            string[] builtins = Directory.GetFiles(folder, "libnvrtc-builtins*.so*");
            foreach (string file in Patterns.SelectMany(pattern => Directory.GetFiles(folder, pattern)))
            {
                try
                {
                    Array.ForEach(builtins, static name => NativeLibrary.Load(name));
                    nint library = NativeLibrary.Load(file);
                    if (NativeLibrary.TryGetExport(library, "nvrtcCompileProgram", out _))
                    {
                        return new Nvrtc(library, file);
                    }
                }
                catch (Exception error) when (error is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
                {
                    throw new KernelException($"{file} cannot be loaded: {error.Message.ReplaceLineEndings(" ")}", error);
                }
            }
        }

        throw new KernelException($"NVRTC is in none of the folders {string.Join(", ", searched)}");
    }

    /// <summary>Compiles to the machine code of an architecture.</summary>
    /// <param name="name">File name in messages.</param>
    /// <param name="text">CUDA C.</param>
    /// <param name="architecture">As "sm_90".</param>
    /// <param name="macros">NAME=VALUE each.</param>
    /// <returns>The code, and the compiler's report: registers and spilled bytes of each kernel.</returns>
    /// <exception cref="KernelException">It does not compile: the compiler's first errors.</exception>
    public (byte[] Code, string Report) Compile(string name, string text, string architecture, IReadOnlyList<string> macros)
    {
        string[] options =
        [
            $"--gpu-architecture={architecture}",
            "--std=c++17",
            "-default-device",
            "--ptxas-options=-v",
            .. macros.Select(macro => $"-D{macro}"),
        ];
        nint program = 0;
        var allocated = options.Select(Marshal.StringToCoTaskMemUTF8).ToList();
        try
        {
            fixed (
                byte* source = Encoding.UTF8.GetBytes(text + '\0'),
                    file = Encoding.UTF8.GetBytes(name + '\0')
            )
            fixed (nint* pointers = allocated.ToArray())
            {
                Check(
                    ((delegate* unmanaged<nint*, byte*, byte*, int, nint, nint, int>)Export("nvrtcCreateProgram"))(
                        &program,
                        source,
                        file,
                        0,
                        0,
                        0
                    ),
                    $"creating {name}"
                );
                int result = ((delegate* unmanaged<nint, int, nint*, int>)Export("nvrtcCompileProgram"))(program, options.Length, pointers);
                if (result != 0)
                {
                    throw new KernelException($"{Version} does not compile {name} for {architecture}: {Errors(program)}");
                }
            }

            return (Read(program, "nvrtcGetCUBIN"), Log(program));
        }
        finally
        {
            allocated.ForEach(Marshal.FreeCoTaskMem);
            if (program != 0)
            {
                _ = ((delegate* unmanaged<nint*, int>)Export("nvrtcDestroyProgram"))(&program);
            }
        }
    }

    private string Errors(nint program)
    {
        string[] lines = Log(program).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] errors = [.. lines.Where(line => line.Contains("error", StringComparison.Ordinal)).Take(3)];
        return string.Join("; ", errors.Length > 0 ? errors : [.. lines.Take(3)]);
    }

    private string Log(nint program) => Encoding.UTF8.GetString(Read(program, "nvrtcGetProgramLog")).TrimEnd('\0');

    private byte[] Read(nint program, string function)
    {
        nuint size = 0;
        Check(((delegate* unmanaged<nint, nuint*, int>)Export(function + "Size"))(program, &size), function);
        byte[] content = new byte[(int)size];
        fixed (byte* target = content)
        {
            Check(((delegate* unmanaged<nint, byte*, int>)Export(function))(program, target), function);
        }

        return content;
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    private void Check(int result, string what)
    {
        if (result != 0)
        {
            string reason = Marshal.PtrToStringUTF8(((delegate* unmanaged<int, nint>)Export("nvrtcGetErrorString"))(result)) ?? "";
            throw new KernelException($"NVRTC failed in {what}: {reason}");
        }
    }
}
