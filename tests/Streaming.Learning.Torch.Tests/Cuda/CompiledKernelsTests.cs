using Streaming.Learning.Torch.Cuda;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Cuda;

public sealed class CompiledKernelsTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [Fact]
    public void Get_KnownKey_DoesNotCompileAgain()
    {
        byte[] first = new CompiledKernels(_folder).Get("source", () => [1, 2, 3]);

        byte[] second = new CompiledKernels(_folder).Get("source", () => throw new InvalidOperationException("compiled again"));

        Assert.Equal([1, 2, 3], first);
        Assert.Equal(first, second);
    }

    [Fact]
    public void Get_OtherKey_Compiles()
    {
        var cache = new CompiledKernels(_folder);
        cache.Get("sm_80", () => [1]);

        Assert.Equal([2], cache.Get("sm_90", () => [2]));
    }

    [Fact]
    public void Get_DamagedFile_CompilesAndReplacesIt()
    {
        var cache = new CompiledKernels(_folder);
        cache.Get("source", () => [1, 2, 3]);
        string file = Directory.GetFiles(_folder).Single();
        byte[] content = File.ReadAllBytes(file);
        content[^1] ^= 1;
        File.WriteAllBytes(file, content);

        Assert.Equal([4], cache.Get("source", () => [4]));
        Assert.Equal([4], cache.Get("source", () => [5]));
    }

    [Fact]
    public void Get_ManyKeys_KeepsTheNewestFiles()
    {
        var cache = new CompiledKernels(_folder);
        for (int i = 0; i < CompiledKernels.MostFiles + 5; i++)
        {
            byte content = (byte)i;
            cache.Get($"source {i}", () => [content]);
        }

        Assert.Equal(CompiledKernels.MostFiles, Directory.GetFiles(_folder).Length);
        byte newest = CompiledKernels.MostFiles + 4;
        Assert.Equal([newest], cache.Get($"source {newest}", () => [0]));
    }

    [Fact]
    public void Get_FolderCannotBeMade_CompilesEachTime()
    {
        File.WriteAllText(_folder, "a file");
        var cache = new CompiledKernels(Path.Combine(_folder, "kernels"));

        Assert.Equal([1], cache.Get("source", () => [1]));
        Assert.Equal([2], cache.Get("source", () => [2]));
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }

        File.Delete(_folder);
    }
}
