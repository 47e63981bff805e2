using System.IO.Compression;

namespace Streaming.Tests;

/// <summary>A temporary folder for a test's files.</summary>
internal sealed class TemporaryFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("streaming-test-");

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(Path(name), text);
        return Path(name);
    }

    public string WriteGzip(string name, string text)
    {
        using var writer = new StreamWriter(new GZipStream(File.Create(Path(name)), CompressionLevel.Fastest));
        writer.Write(text);
        return Path(name);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
