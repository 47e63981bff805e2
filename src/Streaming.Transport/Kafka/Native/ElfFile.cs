using System.Buffers.Binary;

namespace Streaming.Transport.Kafka.Native;

/// <summary>Checks whether a Linux shared library is complete. The loader maps a truncated file, and the process dies
/// of SIGBUS at the first missing page.</summary>
internal static class ElfFile
{
    /// <summary>
    /// Returns what is wrong with a file, or null if nothing is found. The section header table is the last thing in the file.
    /// </summary>
    public static string? Objection(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> header = stackalloc byte[64];
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length || !header.StartsWith("\u007fELF"u8))
            {
                return $"not a shared library ({file.Length} bytes)";
            }

            long sections = BinaryPrimitives.ReadInt64LittleEndian(header[0x28..]);
            int size = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3A..]),
                count = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3C..]);
            long whole = sections + ((long)size * count);
            return file.Length < whole ? $"truncated: {file.Length} of {whole} bytes" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
