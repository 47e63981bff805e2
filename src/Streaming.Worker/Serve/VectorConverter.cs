using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streaming.Worker.Serve;

/// <summary>
/// Writes vectors as JSON, with the digits that <see cref="JsonSerializer"/> writes. Stored vectors are float16 unless
/// <c>STREAMING__Redis__Element</c> says otherwise, so there are 65,536 numbers: their texts are made once, which is several times as fast
/// as formatting them for each answer.
/// </summary>
internal sealed class VectorConverter : JsonConverter<float[]>
{
    /// <summary>Room for the longest text, such as -3.4028235E+38, and a comma.</summary>
    private const int Slot = 16;

    /// <summary>Bits of a float that a float16 lacks.</summary>
    private const int LostBits = 13;
    private const uint LostMask = (1 << LostBits) - 1;

    /// <summary>Difference of the exponents of the same number, and of the smallest and greatest normal ones.</summary>
    private const uint Rebias = 127 - 15;
    private const uint NormalExponents = 30;

    private static readonly Lazy<byte[]> Texts = new(MakeTexts);

    /// <inheritdoc/>
    public override float[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize<float[]>(ref reader, JsonSerializerOptions.Default)!;

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, float[] value, JsonSerializerOptions options)
    {
        byte[] text = ArrayPool<byte>.Shared.Rent((Slot * value.Length) + Slot);
        try
        {
            writer.WriteRawValue(text.AsSpan(0, Format(value, text)), skipInputValidation: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(text);
        }
    }

    private static int Format(ReadOnlySpan<float> vector, Span<byte> text)
    {
        byte[] known = Texts.Value;
        int length = 0;
        text[length++] = (byte)'[';
        foreach (float value in vector)
        {
            // Commas come with the numbers; the last one becomes the bracket.
            length +=
                TryFloat16(value, out int code) && known[code * Slot] is > 0 and var count
                    ? Copy(known.AsSpan((code * Slot) + 1, Slot - 1), count, text[length..])
                    : Format(value, text[length..]);
            text[length++] = (byte)',';
        }

        text[vector.IsEmpty ? length++ : length - 1] = (byte)']';
        return length;
    }

    /// <summary>The bits of a number as a normal float16, or zero; false: it is not exactly one.</summary>
    private static bool TryFloat16(float value, out int code)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint exponent = ((bits >> 23) & 0xFF) - Rebias;
        code = (int)(((bits >> 16) & 0x8000) | (exponent << 10) | ((bits >> LostBits) & 0x3FF));
        return (bits & LostMask) == 0 && exponent - 1 < NormalExponents;
    }

    /// <summary>Copies a whole slot, which is faster than as many bytes as it has.</summary>
    private static int Copy(ReadOnlySpan<byte> slot, int count, Span<byte> text)
    {
        slot.CopyTo(text);
        return count;
    }

    private static int Format(float value, Span<byte> text)
    {
        if (!float.IsFinite(value))
        {
            throw new ArgumentException($"A vector has the number {value.ToString(CultureInfo.InvariantCulture)}.", nameof(value));
        }

        value.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        return length;
    }

    /// <summary>The text of each normal float16 in a slot of its own, after its length.</summary>
    private static byte[] MakeTexts()
    {
        byte[] texts = new byte[Slot << 16];
        for (int code = 0; code <= ushort.MaxValue; code++)
        {
            float value = (float)BitConverter.UInt16BitsToHalf((ushort)code);
            if (float.IsFinite(value))
            {
                texts[code * Slot] = (byte)Format(value, texts.AsSpan((code * Slot) + 1, Slot - 1));
            }
        }

        return texts;
    }
}
