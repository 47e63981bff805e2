using System.Text;
using Streaming.Learning.Torch.Devices;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Devices;

/// <summary>Libraries that do not load, and the system loader's messages.</summary>
public sealed class TorchLibraryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("libtorch-").FullName;

    [Fact]
    public void Load_SystemsLibraryIsTooOld_NamesFileSymbolAndSystemsThatHaveIt()
    {
        // The real library, patched to require a version of libstdc++ that no system has.
        string library = Patched("GLIBCXX_3.4.32", "GLIBCXX_3.4.99");

        string message = Assert.Throws<TorchDeviceException>(() => TorchLibrary.Load(library)).Message;

        Assert.Contains("libstdc++.so.6: version `GLIBCXX_3.4.99' not found", message, StringComparison.Ordinal);
        Assert.Contains($"required by {library}", message, StringComparison.Ordinal);
        Assert.Contains("Debian 13, Ubuntu 24.04", message, StringComparison.Ordinal);
        Assert.Contains("STREAMING__Training__Engine=Cpu", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Load_BuildWithoutLibtorch_SaysHowToBuildWithIt()
    {
        string library = Patched("libtorch_cpu.so", "libtorch_999.so");

        string message = Assert.Throws<TorchDeviceException>(() => TorchLibrary.Load(library)).Message;

        Assert.Equal(
            $"Cannot load libtorch: libtorch_999.so: cannot open shared object file: No such file or directory. This build has no "
                + $"libtorch: {TorchLibrary.HowToGet}, or set STREAMING__Training__Engine=Cpu.",
            message
        );
    }

    [Fact]
    public void Load_NoSuchFile_NamesIt()
    {
        string library = Path.Combine(_folder, "libLibTorchSharp.so");

        string message = Assert.Throws<TorchDeviceException>(() => TorchLibrary.Load(library)).Message;

        Assert.Contains(library, message, StringComparison.Ordinal);
        Assert.Contains(TorchLibrary.HowToGet, message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireCuda_LibtorchOfTheProcessor_NamesDeviceAndWhatWasFound()
    {
        File.WriteAllBytes(Path.Combine(_folder, "libtorch_cpu.so"), []);

        string message = Assert.Throws<TorchDeviceException>(() => TorchLibrary.RequireCuda("cuda:1", $"/nowhere:{_folder}")).Message;

        Assert.Contains("Device is 'cuda:1'", message, StringComparison.Ordinal);
        Assert.Contains($"{_folder} has libtorch_cpu.so, but no libtorch_cuda.so", message, StringComparison.Ordinal);
        Assert.Contains("-p:Torch=cuda", message, StringComparison.Ordinal);

        File.WriteAllBytes(Path.Combine(_folder, "libtorch_cuda.so"), []);
        TorchLibrary.RequireCuda("cuda:1", $"/nowhere:{_folder}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Names of the same length, so that nothing else in the file moves.
    private string Patched(string name, string other)
    {
        byte[] bytes = File.ReadAllBytes(
            ((string)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES")!)
                .Split(':')
                .Select(folder => Path.Combine(folder, "libLibTorchSharp.so"))
                .First(File.Exists)
        );
        byte[] wanted = Encoding.ASCII.GetBytes(name + "\0"),
            written = Encoding.ASCII.GetBytes(other + "\0");
        Assert.Equal(wanted.Length, written.Length);
        int at = bytes.AsSpan().IndexOf(wanted);
        Assert.True(at > 0, $"{name} is not in the library");
        written.CopyTo(bytes, at);
        string path = Path.Combine(_folder, "libLibTorchSharp.so");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
