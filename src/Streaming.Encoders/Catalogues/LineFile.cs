namespace Streaming.Encoders.Catalogues;

/// <summary>The lines of a file, with where each begins; of long ones only the first bytes are kept.</summary>
internal static class LineFile
{
    /// <summary>How much of a line is kept.</summary>
    public const int HeadBytes = 8192;

    /// <summary>Takes a line.</summary>
    /// <param name="number">Its number, from 1.</param>
    /// <param name="start">Where it begins in the file.</param>
    /// <param name="head">Its first bytes.</param>
    public delegate void Line(long number, long start, ReadOnlySpan<byte> head);

    /// <summary>Reads the lines that end; what follows the last line feed is not one.</summary>
    /// <returns>Where the last line ends.</returns>
    public static long Read(Stream stream, Line take)
    {
        byte[] buffer = new byte[1 << 20];
        byte[] head = new byte[HeadBytes];
        int kept = 0;
        long number = 1;
        long start = 0;
        long position = 0;
        while (stream.Read(buffer) is > 0 and int read)
        {
            for (ReadOnlySpan<byte> rest = buffer.AsSpan(0, read); !rest.IsEmpty; )
            {
                int end = rest.IndexOf((byte)'\n');
                ReadOnlySpan<byte> part = end < 0 ? rest : rest[..end];
                int more = Math.Min(part.Length, HeadBytes - kept);
                part[..more].CopyTo(head.AsSpan(kept));
                kept += more;
                position += part.Length;
                rest = rest[part.Length..];
                if (end >= 0)
                {
                    take(number++, start, head.AsSpan(0, kept));
                    rest = rest[1..];
                    start = ++position;
                    kept = 0;
                }
            }
        }

        return start;
    }
}
