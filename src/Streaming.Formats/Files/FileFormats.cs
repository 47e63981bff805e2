using Streaming.Formats.Inputs;

namespace Streaming.Formats.Files;

/// <summary>Tells formats apart.</summary>
internal static class FileFormats
{
    /// <summary>White space, record separators (RFC 7464) and the bytes of a byte order mark.</summary>
    private static ReadOnlySpan<byte> BeforeJson => [(byte)' ', (byte)'\t', (byte)'\r', (byte)'\n', 0x1E, 0xEF, 0xBB, 0xBF];

    /// <summary>Detects a format.</summary>
    /// <param name="head">The first bytes, decompressed.</param>
    /// <exception cref="InvalidDataException">There are none, or they are neither text nor of a known format.</exception>
    public static FileFormat Detect(ReadOnlySpan<byte> head) =>
        head.IsEmpty ? throw new InvalidDataException("the file is empty")
        : head.StartsWith("PAR1"u8) ? FileFormat.Parquet
        : head.StartsWith("Obj\x01"u8) ? FileFormat.Avro
        : head.TrimStart(BeforeJson) is [(byte)'{' or (byte)'[', ..] ? FileFormat.Json
        : head.ContainsAnyInRange((byte)0, (byte)0) && head is not ([0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
            ? throw new InvalidDataException("the file is neither text nor of a known format; allowed: JSON, delimited text, Parquet, Avro")
        : FileFormat.Text;

    /// <summary>Opens a Parquet or Avro file, which is read from several places.</summary>
    /// <exception cref="InputFileException">It is a pipe, or compressed as a whole.</exception>
    public static FileStream OpenSeekable(string path)
    {
        FileStream file = InputFile.OpenRaw(path);
        Span<byte> magic = stackalloc byte[4];
        if (
            file.CanSeek
            && file.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4
            && (magic.SequenceEqual("PAR1"u8) || magic.SequenceEqual("Obj\x01"u8))
        )
        {
            file.Position = 0;
            return file;
        }

        file.Dispose();
        throw new InputFileException($"{path}: Parquet and Avro need a regular file that is not compressed as a whole, not a pipe.");
    }
}
