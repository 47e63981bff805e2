using System.Buffers.Binary;

namespace Streaming.Core.Embeddings;

/// <summary>
/// Writes and reads the Redis value of one item: one vector that serves every nested width, because each width is a prefix
/// of the next. schemas/embedding-value.md specifies the layout.
/// </summary>
public static class EmbeddingValue
{
    private const float MaxHalf = 65504f;

    /// <summary>Encodes a vector. Allocates nothing.</summary>
    /// <param name="vector">The embedding at full width [D].</param>
    /// <param name="format">Element type and widths.</param>
    /// <param name="stamp">Generation, token, step and event time.</param>
    /// <param name="destination">Receives <see cref="EmbeddingFormat.Length"/> bytes; may be longer.</param>
    /// <returns>False when a number of the vector is not finite or too large for the element type; <paramref name="destination"/>
    /// is then unchanged.</returns>
    /// <exception cref="ArgumentException">A length does not match, or a number of the stamp is out of range.</exception>
    public static bool TryEncode(ReadOnlySpan<float> vector, EmbeddingFormat format, in EmbeddingStamp stamp, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(format);
        Check(vector, format, stamp, destination);
        float largest = LargestMagnitude(vector);
        if (!float.IsFinite(largest) || (format.Element == EmbeddingElement.Float16 && largest > MaxHalf))
        {
            return false;
        }

        float scale = format.Element == EmbeddingElement.Int8 ? largest / 127 : 1;
        Span<byte> value = destination[..format.Length];
        WriteHeader(format, stamp, scale, value);
        WriteWidths(vector, format, value[EmbeddingLayout.FixedLength..]);
        ElementCoding.Encode(format.Element, vector, scale, value[format.HeaderLength..]);
        BinaryPrimitives.WriteUInt32LittleEndian(value[EmbeddingLayout.ChecksumAt..], Checksum.OfValue(value));
        return true;
    }

    /// <summary>Gets the checksum that an encoded value carries.</summary>
    public static uint ChecksumIn(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt32LittleEndian(value[EmbeddingLayout.ChecksumAt..]);

    /// <summary>Validates a value and opens it for reading. Allocates nothing and never throws, whatever the bytes.</summary>
    /// <param name="value">The bytes from the store.</param>
    /// <param name="view">The opened value; empty unless the result is <see cref="EmbeddingFault.None"/>.</param>
    /// <returns>The fault, or <see cref="EmbeddingFault.None"/>.</returns>
    public static EmbeddingFault TryRead(ReadOnlySpan<byte> value, out EmbeddingView view)
    {
        view = default;
        EmbeddingFault fault = CheckLengths(value, out int header);
        if (fault != EmbeddingFault.None)
        {
            return fault;
        }

        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(value[EmbeddingLayout.ChecksumAt..]);
        if (stored != Checksum.OfValue(value) || !FieldsAgree(value))
        {
            return EmbeddingFault.Corrupt;
        }

        view = new EmbeddingView(value, header);
        return EmbeddingFault.None;
    }

    /// <summary>As <see cref="TryRead"/>, but throws an exception that describes the fault.</summary>
    /// <exception cref="EmbeddingFormatException">The bytes are not a valid value.</exception>
    public static EmbeddingView Read(ReadOnlySpan<byte> value)
    {
        EmbeddingFault fault = TryRead(value, out EmbeddingView view);
        return fault == EmbeddingFault.None ? view : throw new EmbeddingFormatException(fault, Describe(fault, value));
    }

    private static string Describe(EmbeddingFault fault, ReadOnlySpan<byte> value) =>
        fault switch
        {
            EmbeddingFault.Foreign =>
                $"Foreign: the {value.Length} bytes do not start with the magic number 'EV', so another program wrote this key.",
            EmbeddingFault.Truncated => $"Truncated: {value.Length} bytes are fewer than the value's header requires.",
            EmbeddingFault.NewerVersion =>
                $"Newer version: the value has layout version {value[EmbeddingLayout.VersionAt]}; this reader supports up to "
                    + $"{EmbeddingLayout.Version}. Update the reader.",
            _ => $"Corrupt: the {value.Length} bytes fail the checksum, or their fields contradict each other.",
        };

    private static void Check(ReadOnlySpan<float> vector, EmbeddingFormat format, in EmbeddingStamp stamp, Span<byte> destination)
    {
        if (vector.Length != format.Dimension)
        {
            throw new ArgumentException(
                $"The vector has {vector.Length} numbers; the format's dimension is {format.Dimension}.",
                nameof(vector)
            );
        }

        if (destination.Length < format.Length)
        {
            throw new ArgumentException($"The destination has {destination.Length} bytes; needed: {format.Length}.", nameof(destination));
        }

        if ((ulong)stamp.Step > EmbeddingStamp.MaxCounter || (ulong)stamp.EventTime > EmbeddingStamp.MaxCounter)
        {
            throw new ArgumentException(
                $"Step {stamp.Step} or event time {stamp.EventTime} is outside 0 to {EmbeddingStamp.MaxCounter}.",
                nameof(stamp)
            );
        }
    }

    /// <summary>Infinity or NaN when any number is.</summary>
    private static float LargestMagnitude(ReadOnlySpan<float> vector)
    {
        float largest = 0;
        foreach (float number in vector)
        {
            largest = MathF.Max(largest, MathF.Abs(number)); // propagates NaN
        }

        return largest;
    }

    private static void WriteHeader(EmbeddingFormat format, in EmbeddingStamp stamp, float scale, Span<byte> value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(value, EmbeddingLayout.Magic);
        value[EmbeddingLayout.VersionAt] = EmbeddingLayout.Version;
        value[EmbeddingLayout.ElementAt] = (byte)format.Element;
        value[EmbeddingLayout.FlagsAt] = format.HasNorms ? EmbeddingLayout.NormsFlag : (byte)0;
        value[EmbeddingLayout.WidthCountAt] = (byte)format.Widths.Length;
        BinaryPrimitives.WriteUInt16LittleEndian(value[EmbeddingLayout.DimensionAt..], (ushort)format.Dimension);
        BinaryPrimitives.WriteUInt32LittleEndian(value[EmbeddingLayout.GenerationAt..], stamp.Generation);
        BinaryPrimitives.WriteUInt32LittleEndian(value[EmbeddingLayout.TokenAt..], stamp.Token);
        WriteUInt48(value[EmbeddingLayout.StepAt..], stamp.Step);
        WriteUInt48(value[EmbeddingLayout.EventTimeAt..], stamp.EventTime);
        BinaryPrimitives.WriteSingleLittleEndian(value[EmbeddingLayout.ScaleAt..], scale);
    }

    private static void WriteWidths(ReadOnlySpan<float> vector, EmbeddingFormat format, Span<byte> destination)
    {
        double sum = 0;
        int from = 0;
        for (int i = 0; i < format.Widths.Length; i++)
        {
            int width = format.Widths[i];
            BinaryPrimitives.WriteUInt16LittleEndian(destination[(2 * i)..], (ushort)width);
            if (format.HasNorms)
            {
                for (; from < width; from++)
                {
                    sum += (double)vector[from] * vector[from];
                }

                var norm = (Half)Math.Min(Math.Sqrt(sum), MaxHalf);
                BinaryPrimitives.WriteHalfLittleEndian(destination[(2 * (format.Widths.Length + i))..], norm);
            }
        }
    }

    private static void WriteUInt48(Span<byte> destination, long value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)value);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], (ushort)(value >> 32));
    }

    /// <summary>Checks every length in the header, in the order that gives the clearest fault.</summary>
    private static EmbeddingFault CheckLengths(ReadOnlySpan<byte> value, out int header)
    {
        header = 0;
        if (value.Length > EmbeddingLayout.VersionAt && BinaryPrimitives.ReadUInt16LittleEndian(value) != EmbeddingLayout.Magic)
        {
            return EmbeddingFault.Foreign;
        }

        if (value.Length > EmbeddingLayout.VersionAt && value[EmbeddingLayout.VersionAt] > EmbeddingLayout.Version)
        {
            return EmbeddingFault.NewerVersion;
        }

        if (value.Length < EmbeddingLayout.FixedLength)
        {
            return EmbeddingFault.Truncated;
        }

        byte element = value[EmbeddingLayout.ElementAt];
        byte flags = value[EmbeddingLayout.FlagsAt];
        int widths = value[EmbeddingLayout.WidthCountAt];
        if (
            value[EmbeddingLayout.VersionAt] == 0
            || element > (byte)EmbeddingElement.Int8
            || flags > EmbeddingLayout.NormsFlag
            || widths is 0 or > EmbeddingFormat.MaxWidths
        )
        {
            return EmbeddingFault.Corrupt;
        }

        header = EmbeddingLayout.FixedLength + (widths * (flags == EmbeddingLayout.NormsFlag ? 4 : 2));
        int dimension = BinaryPrimitives.ReadUInt16LittleEndian(value[EmbeddingLayout.DimensionAt..]);
        int length = header + (dimension * EmbeddingLayout.ElementLength((EmbeddingElement)element));
        return value.Length < length ? EmbeddingFault.Truncated
            : value.Length > length ? EmbeddingFault.Corrupt
            : EmbeddingFault.None;
    }

    private static bool FieldsAgree(ReadOnlySpan<byte> value)
    {
        int count = value[EmbeddingLayout.WidthCountAt];
        int previous = 0;
        for (int i = 0; i < count; i++)
        {
            int width = BinaryPrimitives.ReadUInt16LittleEndian(value[(EmbeddingLayout.FixedLength + (2 * i))..]);
            if (width <= previous)
            {
                return false;
            }

            previous = width;
        }

        float scale = BinaryPrimitives.ReadSingleLittleEndian(value[EmbeddingLayout.ScaleAt..]);
        return previous == BinaryPrimitives.ReadUInt16LittleEndian(value[EmbeddingLayout.DimensionAt..])
            && float.IsFinite(scale)
            && scale >= 0;
    }
}
