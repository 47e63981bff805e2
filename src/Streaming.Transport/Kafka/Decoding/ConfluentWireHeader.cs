using System.Buffers.Binary;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// The header that Confluent's serializers write before a value: magic byte 0, schema id (4 bytes, big-endian), and for
/// Protobuf the path to the message type: its length and indexes as zigzag varints, [0] shortened to one byte 0.
/// </summary>
internal static class ConfluentWireHeader
{
    /// <summary>The magic byte and the id.</summary>
    public const int HeaderBytes = 5;

    /// <summary>Depth of nested message types; ours are at the top.</summary>
    private const int MaxIndexes = 16;

    /// <summary>Cuts the header off, when there is one. No Protobuf message and no JSON text begins with a byte 0.</summary>
    /// <returns>False when the header is cut off or out of bounds.</returns>
    public static bool TrySkip(ref ReadOnlySpan<byte> value, RecordFormat format)
    {
        if (value.IsEmpty || value[0] != 0)
        {
            return true;
        }

        if (value.Length < HeaderBytes)
        {
            return false;
        }

        value = value[HeaderBytes..];
        return format == RecordFormat.Json || TrySkipIndexes(ref value);
    }

    /// <summary>Reads the schema's id.</summary>
    /// <returns>False when the value does not begin with one.</returns>
    public static bool TryReadId(ReadOnlySpan<byte> value, out int id)
    {
        bool isThere = value.Length >= HeaderBytes && value[0] == 0;
        id = isThere ? BinaryPrimitives.ReadInt32BigEndian(value[1..]) : 0;
        return isThere;
    }

    private static bool TrySkipIndexes(ref ReadOnlySpan<byte> value)
    {
        if (!TryReadZigzag(ref value, out int count) || count < 0 || count > MaxIndexes)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            if (!TryReadZigzag(ref value, out int index) || index < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryReadZigzag(ref ReadOnlySpan<byte> value, out int number)
    {
        uint raw = 0;
        for (int i = 0; i < 5 && i < value.Length; i++)
        {
            raw |= (uint)(value[i] & 0x7F) << (7 * i);
            if (value[i] < 0x80)
            {
                value = value[(i + 1)..];
                number = (int)(raw >> 1) ^ -(int)(raw & 1);
                return true;
            }
        }

        number = 0;
        return false;
    }
}
