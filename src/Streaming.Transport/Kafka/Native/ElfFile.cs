using System.Buffers.Binary;

namespace Streaming.Transport.Kafka.Native;

/// <summary>Looks whether a shared library of Linux is whole. The loader maps a file that was cut short, and the process dies
/// of SIGBUS at the first page that is missing.</summary>
internal static class ElfFile
{
    /// <summary>What is wrong with a file; null: nothing that this can see. The table of sections is the last thing in the file.</summary>
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
            int size = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3A..]), count = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3C..]);
            long whole = sections + ((long)size * count);
            return file.Length < whole ? $"truncated: {file.Length} of {whole} bytes" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
