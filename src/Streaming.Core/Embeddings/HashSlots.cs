using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Streaming.Core.Embeddings;

/// <summary>Redis Cluster slots, and the hash tags that spread partitions over them evenly.</summary>
/// <remarks>A cluster divides its slots into ranges, one or a few per master. Tags "0", "1", "2" … land anywhere, so with few
/// partitions one master can get several times its share; tags with evenly spaced slots prevent that.</remarks>
public static class HashSlots
{
    /// <summary>Number of slots of a cluster.</summary>
    public const int Count = 16384;

    private static readonly ConcurrentDictionary<int, string[]> Tags = new();

    /// <summary>Computes the slot of a hash tag, or of a key without one: CRC-16/XMODEM modulo 16,384.</summary>
    public static int Of(ReadOnlySpan<byte> tag)
    {
        uint crc = 0;
        foreach (byte value in tag)
        {
            crc ^= (uint)value << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }
        }

        return (int)(crc & (Count - 1));
    }

    /// <summary>Finds a tag for each of P partitions: the smallest number, in decimal, whose slot is ⌊p · 16384 / P⌋.</summary>
    /// <param name="partitions">P, 1 … 16,384. Each P is computed once per process, in a few milliseconds.</param>
    public static IReadOnlyList<string> EvenTags(int partitions) => Tags.GetOrAdd(partitions, FindTags);

    private static string[] FindTags(int partitions)
    {
        int[] partitionOf = new int[Count];
        Array.Fill(partitionOf, -1);
        for (int p = 0; p < partitions; p++)
        {
            partitionOf[(int)((long)p * Count / partitions)] = p;
        }

        string[] tags = new string[partitions];
        Span<byte> digits = stackalloc byte[10];
        for (int number = 0, left = partitions; left > 0; number++)
        {
            number.TryFormat(digits, out int length, provider: CultureInfo.InvariantCulture);
            int p = partitionOf[Of(digits[..length])];
            if (p >= 0 && tags[p] is null)
            {
                tags[p] = Encoding.ASCII.GetString(digits[..length]);
                left--;
            }
        }

        return tags;
    }
}
