using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Streaming.Learning.Torch.Cuda;

namespace Streaming.Learning.Torch.Tests.Cuda;

/// <summary>
/// The project's CUDA sources, built by g++ over an emulation of the device (Device.cuh of this folder) and run on CPU tensors: the
/// code that a GPU runs, without one. Built libraries are kept beside the tests.
/// </summary>
internal sealed unsafe class EmulatedDevice : IKernelDevice
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "emulated");

    public string Target => "an emulation";

    /// <summary>So few that candidates are shared among a handful of blocks.</summary>
    public int Multiprocessors => 1;

    public int MostSharedBytes { get; init; } = 232_448;

    /// <summary>Launches of this device.</summary>
    public int Launches { get; private set; }

    public IReadOnlyDictionary<string, nint> Compile(KernelSource source)
    {
        nint library = NativeLibrary.Load(Build(source));
        return source.Functions.ToDictionary(name => name, name => NativeLibrary.GetExport(library, $"emulated_{name}"));
    }

    public void Launch(nint function, (int X, int Y) grid, int threads, int sharedBytes, ReadOnlySpan<nint> arguments)
    {
        Launches++;
        fixed (nint* addresses = arguments)
        {
            ((delegate* unmanaged<int, int, int, int, nint*, void>)function)(grid.X, grid.Y, threads, sharedBytes, addresses);
        }
    }

    public void Dispose() { }

    private static string Build(KernelSource source)
    {
        var text = new StringBuilder(Emulation());
        text.Append('\n').Append(source.Text);
        foreach (string name in source.Functions)
        {
            text.Append("EMULATED(").Append(name).Append(")\n");
        }

        string key = string.Join('\n', [.. source.Macros, text.ToString()]);
        string path = Path.Combine(Folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
        if (!File.Exists(path + ".so"))
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(path + ".cpp", text.ToString());
            Run(
                "g++",
                [
                    "-std=c++17",
                    "-O2",
                    "-shared",
                    "-fPIC",
                    "-w",
                    .. source.Macros.Select(macro => $"-D{macro}"),
                    "-o",
                    path + ".part",
                    path + ".cpp",
                ]
            );
            File.Move(path + ".part", path + ".so", overwrite: true);
        }

        return path + ".so";
    }

    private static string Emulation()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Emulation.Device.cuh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static void Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new KernelException($"{program} failed: {errors}");
        }
    }
}
