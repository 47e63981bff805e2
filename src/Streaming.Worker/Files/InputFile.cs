using System.IO.Compression;
using System.Text;

namespace Streaming.Worker;

/// <summary>Opens text files, compressed or not.</summary>
internal static class InputFile
{
    /// <summary>Opens a file as text; gzip is told by its first two bytes, not by the name.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static StreamReader OpenText(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        bool gzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return new StreamReader(gzip ? new GZipStream(file, CompressionMode.Decompress) : file, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, 1 << 16);
    }
}
