using System.IO.Compression;
using System.Text;
using ZstdSharp;

namespace Streaming.Formats.Inputs;

/// <summary>Opens files, compressed or not, and pipes. The format is detected from the first bytes, not from the name.</summary>
public static class InputFile
{
    private const int HeadBytes = 64 << 10;

    // Otherwise .NET accepts a truncated gzip file as complete.
    static InputFile() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);

    /// <summary>Opens a file as UTF-8 text (or as its byte order mark indicates).</summary>
    /// <exception cref="InputFileException">It is missing, not readable, or compressed in an unsupported way.</exception>
    public static StreamReader OpenText(string path) => new(Open(path), Encoding.UTF8, detectEncodingFromByteOrderMarks: true, 1 << 16);

    /// <summary>Opens a file.</summary>
    internal static PeekStream Open(string path) => Decompressed(OpenRaw(path), path);

    /// <summary>Opens a file without decompression.</summary>
    internal static FileStream OpenRaw(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputFileException($"{path}: {exception.Message}", exception);
        }
    }

    private static PeekStream Decompressed(Stream file, string path)
    {
        var raw = new PeekStream(file, HeadBytes);
        ReadOnlySpan<byte> head = raw.Head;
        if (Refused(head) is { } refused)
        {
            raw.Dispose();
            throw new InputFileException($"{path} is {refused}; allowed: JSON, delimited text, Parquet or Avro; plain, gzip or zstd.");
        }

        try
        {
            return head.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b])
                    ? new PeekStream(new GZipStream(raw, CompressionMode.Decompress), HeadBytes, "gzip")
                : head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd])
                    ? new PeekStream(new DecompressionStream(raw, leaveOpen: false), HeadBytes, "zstd")
                : raw;
        }
        catch
        {
            raw.Dispose();
            throw;
        }
    }

    private static string? Refused(ReadOnlySpan<byte> head) =>
        head.StartsWith("BZh"u8) ? "bzip2"
        : head.StartsWith((ReadOnlySpan<byte>)[0xFD, .. "7zXZ"u8]) ? "xz"
        : head.StartsWith("PK\u0003\u0004"u8) ? "a zip archive (or an Excel workbook)"
        : head.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]) ? "an Excel workbook"
        : head.StartsWith("ORC"u8) ? "an ORC file"
        : head.StartsWith("ARROW1"u8) || head.StartsWith("FEA1"u8) ? "an Arrow or Feather file"
        : head.StartsWith("SQLite format 3"u8) ? "an SQLite database"
        : null;
}
