using System.Buffers.Binary;

namespace Streaming.Formats.Protobuf;

/// <summary>
/// Reads the Protobuf wire format (protobuf.dev, "Encoding") from a span. What it accepts is what Google.Protobuf
/// accepts; failure is a return value.
/// </summary>
/// <param name="message">The message.</param>
public ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    /// <summary>Wire type of integers, truth values and enums.</summary>
    public const int Varint = 0;

    /// <summary>Wire type of 8 bytes.</summary>
    public const int Fixed64 = 1;

    /// <summary>Wire type of texts, bytes, messages and packed lists.</summary>
    public const int LengthDelimited = 2;

    /// <summary>Wire type of 4 bytes.</summary>
    public const int Fixed32 = 5;

    private const int StartGroup = 3;
    private const int EndGroup = 4;

    /// <summary>Nesting of groups, as in Google.Protobuf.</summary>
    private const int MaxDepth = 100;

    private ReadOnlySpan<byte> _rest = message;

    /// <summary>Gets what is left.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Gets a value indicating whether nothing is left.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Reads a field's number and wire type.</summary>
    public bool TryReadTag(out int field, out int wireType)
    {
        bool isRead = TryReadVarint(out ulong tag);
        field = (int)((uint)tag >> 3);
        wireType = (int)tag & 7;
        return isRead && field != 0;
    }

    /// <summary>Reads a varint.</summary>
    public bool TryReadVarint(out ulong value)
    {
        ReadOnlySpan<byte> rest = _rest;
        value = 0;
        for (int i = 0; i < 10 && i < rest.Length; i++)
        {
            value |= (ulong)(rest[i] & 0x7F) << (7 * i);
            if (rest[i] < 0x80)
            {
                _rest = rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads a length and as many bytes.</summary>
    public bool TryReadBytes(out ReadOnlySpan<byte> bytes)
    {
        // The length is 32 bits on the wire's receiving end: higher bits are dropped, a negative one is refused.
        if (TryReadVarint(out ulong length) && (int)length >= 0 && (int)length <= _rest.Length)
        {
            bytes = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return true;
        }

        bytes = default;
        return false;
    }

    /// <summary>Reads 4 bytes, little-endian.</summary>
    public bool TryReadFixed32(out uint value)
    {
        if (_rest.Length < sizeof(uint))
        {
            value = 0;
            return false;
        }

        value = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
        _rest = _rest[sizeof(uint)..];
        return true;
    }

    /// <summary>Reads 8 bytes, little-endian.</summary>
    public bool TryReadFixed64(out ulong value)
    {
        bool isRead = TryReadDouble(out double bits);
        value = BitConverter.DoubleToUInt64Bits(bits);
        return isRead;
    }

    /// <summary>Reads a double.</summary>
    public bool TryReadDouble(out double value)
    {
        if (_rest.Length < sizeof(double))
        {
            value = 0;
            return false;
        }

        value = BinaryPrimitives.ReadDoubleLittleEndian(_rest);
        _rest = _rest[sizeof(double)..];
        return true;
    }

    /// <summary>Skips the value of a field that is not known.</summary>
    public bool TrySkip(int field, int wireType) => wireType == StartGroup ? TrySkipGroup(field) : TrySkipScalar(wireType);

    private bool TrySkipScalar(int wireType) =>
        wireType switch
        {
            Varint => TryReadVarint(out _),
            Fixed64 => TryDrop(8),
            LengthDelimited => TryReadBytes(out _),
            Fixed32 => TryDrop(4),
            _ => false,
        };

    private bool TryDrop(int count)
    {
        if (_rest.Length < count)
        {
            return false;
        }

        _rest = _rest[count..];
        return true;
    }

    // Groups nest; the stack of open ones is bounded, so that a hostile message cannot overflow ours.
    private bool TrySkipGroup(int field)
    {
        Span<int> open = stackalloc int[MaxDepth];
        open[0] = field;
        int depth = 1;
        while (depth > 0)
        {
            if (!TryReadTag(out int inner, out int wireType))
            {
                return false;
            }

            if (wireType == EndGroup)
            {
                if (open[--depth] != inner)
                {
                    return false;
                }
            }
            else if (wireType == StartGroup)
            {
                if (depth == MaxDepth)
                {
                    return false;
                }

                open[depth++] = inner;
            }
            else if (!TrySkipScalar(wireType))
            {
                return false;
            }
        }

        return true;
    }
}
