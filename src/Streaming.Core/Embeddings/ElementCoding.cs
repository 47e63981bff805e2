using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Streaming.Core.Embeddings;

/// <summary>Converts numbers to bytes and back. Bytes are little-endian on every machine.</summary>
internal static class ElementCoding
{
    public static void Encode(EmbeddingElement element, ReadOnlySpan<float> vector, float scale, Span<byte> destination)
    {
        switch (element)
        {
            case EmbeddingElement.Float32:
                for (int i = 0; i < vector.Length; i++)
                {
                    BinaryPrimitives.WriteSingleLittleEndian(destination[(4 * i)..], vector[i]);
                }

                break;
            case EmbeddingElement.Float16:
                for (int i = 0; i < vector.Length; i++)
                {
                    BinaryPrimitives.WriteHalfLittleEndian(destination[(2 * i)..], (Half)vector[i]);
                }

                break;
            default:
                float divisor = scale == 0 ? 1 : scale; // all zeros, or too small to represent
                for (int i = 0; i < vector.Length; i++)
                {
                    destination[i] = (byte)(sbyte)Math.Clamp(MathF.Round(vector[i] / divisor), -127, 127);
                }

                break;
        }
    }

    public static void Decode(EmbeddingElement element, ReadOnlySpan<byte> source, float scale, Span<float> destination)
    {
        switch (element)
        {
            case EmbeddingElement.Float32:
                DecodeSingles(source, destination);
                break;
            case EmbeddingElement.Float16:
                DecodeHalves(source, destination);
                break;
            default:
                DecodeBytes(MemoryMarshal.Cast<byte, sbyte>(source), scale, destination);
                break;
        }
    }

    private static void DecodeSingles(ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (BitConverter.IsLittleEndian)
        {
            source[..(4 * destination.Length)].CopyTo(MemoryMarshal.AsBytes(destination));
            return;
        }

        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = BinaryPrimitives.ReadSingleLittleEndian(source[(4 * i)..]);
        }
    }

    private static void DecodeHalves(ReadOnlySpan<byte> source, Span<float> destination)
    {
        int i = 0;
        if (BitConverter.IsLittleEndian && Vector.IsHardwareAccelerated)
        {
            for (; i + Vector<ushort>.Count <= destination.Length; i += Vector<ushort>.Count)
            {
                Vector<byte> bytes = new(source[(2 * i)..]);
                Vector.Widen(Vector.AsVectorUInt16(bytes), out Vector<uint> low, out Vector<uint> high);
                Widen(low).CopyTo(destination[i..]);
                Widen(high).CopyTo(destination[(i + Vector<float>.Count)..]);
            }
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
        }
    }

    /// <summary>Shifts exponent and fraction into their float positions and corrects the bias by a multiplication, which also
    /// handles subnormals; infinities and NaNs get an all-ones exponent.</summary>
    private static Vector<float> Widen(Vector<uint> half)
    {
        const float rebias = 5.192296858534828e33f; // 2^112 = 2^(127 - 15)
        Vector<uint> magnitude = (half & new Vector<uint>(0x7FFF)) << 13;
        var scaled = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude) * new Vector<float>(rebias));
        var special = Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(0x7C00u << 13));
        var bits = Vector.ConditionalSelect(special, magnitude | new Vector<uint>(0x7F800000), scaled);
        return Vector.AsVectorSingle(bits | ((half & new Vector<uint>(0x8000)) << 16));
    }

    private static void DecodeBytes(ReadOnlySpan<sbyte> source, float scale, Span<float> destination)
    {
        int i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            Vector<float> factor = new(scale);
            int lane = Vector<float>.Count;
            for (; i + Vector<sbyte>.Count <= destination.Length; i += Vector<sbyte>.Count)
            {
                Vector.Widen(new Vector<sbyte>(source[i..]), out Vector<short> low, out Vector<short> high);
                Vector.Widen(low, out Vector<int> a, out Vector<int> b);
                Vector.Widen(high, out Vector<int> c, out Vector<int> d);
                (Vector.ConvertToSingle(a) * factor).CopyTo(destination[i..]);
                (Vector.ConvertToSingle(b) * factor).CopyTo(destination[(i + lane)..]);
                (Vector.ConvertToSingle(c) * factor).CopyTo(destination[(i + (2 * lane))..]);
                (Vector.ConvertToSingle(d) * factor).CopyTo(destination[(i + (3 * lane))..]);
            }
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = source[i] * scale;
        }
    }
}
