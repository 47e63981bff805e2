using System.Security.Cryptography;
using System.Text;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>
/// Machine code of earlier starts, in files: compiling takes seconds. A file's name is a hash of source, macros, target and compiler;
/// its first bytes are a hash of the rest, so that a damaged file is compiled again. The oldest files beyond a limit are deleted.
/// </summary>
/// <param name="folder">The folder; created when first written to.</param>
internal sealed class CompiledKernels(string folder)
{
    /// <summary>Most files kept: a model has a few, and a machine a few models.</summary>
    public const int MostFiles = 64;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The user's own cache: $XDG_CACHE_HOME or ~/.cache.</summary>
    public static CompiledKernels OfUser()
    {
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return new CompiledKernels(
            Path.Combine(string.IsNullOrEmpty(cache) ? Path.Combine(home, ".cache") : cache, "streaming", "kernels")
        );
    }

    /// <summary>The code of a key, compiled unless a file has it. A cache that cannot be read or written is not used.</summary>
    /// <param name="key">All that the code depends on.</param>
    /// <param name="compile">Compiles it.</param>
    public byte[] Get(string key, Func<byte[]> compile)
    {
        string path = Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))) + ".cubin");
        if (Read(path) is { } known)
        {
            return known;
        }

        byte[] code = compile();
        try
        {
            Write(path, code);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A read-only system compiles at every start.
        }

        return code;
    }

    private static byte[]? Read(string path)
    {
        try
        {
            byte[] content = File.ReadAllBytes(path);
            int start = SHA256.HashSizeInBytes;
            return content.Length > start && SHA256.HashData(content.AsSpan(start)).AsSpan().SequenceEqual(content.AsSpan(0, start))
                ? content[start..]
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Write(string path, byte[] code)
    {
        // Whoever can write here decides what runs on the GPU.
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly);
        }

        string part = $"{path}.{Environment.ProcessId}";
        File.WriteAllBytes(part, [.. SHA256.HashData(code), .. code]);
        File.Move(part, path, overwrite: true);
        foreach (FileInfo old in new DirectoryInfo(folder).GetFiles().OrderByDescending(file => file.LastWriteTimeUtc).Skip(MostFiles))
        {
            old.Delete();
        }
    }
}
