using Streaming.Core.Embeddings;
using Streaming.Tests;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

public class EmbeddingValueTests
{
    private static readonly int[] Widths = [16, 32, 64, 128];
    private static readonly EmbeddingStamp Stamp = new(Generation: 7, Token: 42, Step: 123_456_789_012, EventTime: 1_700_000_000_000);

    public static TheoryData<EmbeddingElement, bool> Formats =>
        new()
        {
            { EmbeddingElement.Float32, false },
            { EmbeddingElement.Float32, true },
            { EmbeddingElement.Float16, false },
            { EmbeddingElement.Float16, true },
            { EmbeddingElement.Int8, false },
            { EmbeddingElement.Int8, true },
        };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Encode_AnyFormat_EveryPrefixComesBackWithinTheElementsError(EmbeddingElement element, bool norms)
    {
        float[] vector = Vector(128);
        EmbeddingFormat format = new(element, Widths, norms);
        byte[] bytes = Encode(vector, format);
        EmbeddingView view = EmbeddingValue.Read(bytes);

        Assert.Equal(Stamp, view.Stamp);
        Assert.Equal(element, view.Element);
        Assert.Equal(128, view.Dimension);
        Assert.Equal(Widths, Enumerable.Range(0, view.WidthCount).Select(i => EmbeddingValue.Read(bytes).Width(i)));
        float largest = vector.Max(MathF.Abs);
        for (int width = 0; width <= 128; width++)
        {
            float[] decoded = new float[width];
            view.Decode(decoded);
            for (int i = 0; i < width; i++)
            {
                float allowed = element switch
                {
                    EmbeddingElement.Float32 => 0,
                    EmbeddingElement.Float16 => (MathF.Abs(vector[i]) / 2048) + 6e-8f,
                    _ => (largest / 254) + 1e-6f,
                };
                Assert.True(MathF.Abs(decoded[i] - vector[i]) <= allowed, $"width {width}, number {i}: {decoded[i]} for {vector[i]}");
            }
        }
    }

    [Fact]
    public void Encode_WithNorms_EachWidthHasTheNormOfItsPrefix()
    {
        float[] vector = Vector(128);
        EmbeddingView view = EmbeddingValue.Read(Encode(vector, new EmbeddingFormat(EmbeddingElement.Float16, Widths, norms: true)));

        for (int i = 0; i < Widths.Length; i++)
        {
            double norm = Math.Sqrt(vector.Take(Widths[i]).Sum(x => (double)x * x));
            Assert.Equal(norm, view.Norm(i), norm / 1024);
        }
    }

    [Fact]
    public void Encode_HalfOf128_FitsTheMemoryClassOf320()
    {
        // jemalloc: 320 bytes minus the string header of Redis (6) leave 314 for the value.
        Assert.True(new EmbeddingFormat(EmbeddingElement.Float16, Widths).Length <= 314);
        Assert.True(new EmbeddingFormat(EmbeddingElement.Float16, [8, 16, 32, 64, 128], norms: true).Length <= 314);
    }

    [Theory]
    [InlineData(float.NaN, EmbeddingElement.Float32)]
    [InlineData(float.PositiveInfinity, EmbeddingElement.Int8)]
    [InlineData(float.NegativeInfinity, EmbeddingElement.Float16)]
    [InlineData(70000f, EmbeddingElement.Float16)]
    public void TryEncode_NumberThatCannotBeStored_RefusesAndTouchesNothing(float number, EmbeddingElement element)
    {
        float[] vector = Vector(128);
        vector[77] = number;
        byte[] bytes = new byte[600];

        Assert.False(EmbeddingValue.TryEncode(vector, new EmbeddingFormat(element, Widths), Stamp, bytes));
        Assert.All(bytes, value => Assert.Equal(0, value));
    }

    [Fact]
    public void TryEncode_ZeroVector_ComesBackAsZeros()
    {
        foreach (EmbeddingElement element in Enum.GetValues<EmbeddingElement>())
        {
            float[] decoded = Vector(128);
            EmbeddingValue.Read(Encode(new float[128], new EmbeddingFormat(element, Widths))).Decode(decoded);
            Assert.All(decoded, number => Assert.Equal(0, number));
        }
    }

    [Fact]
    public void TryEncode_WrongLengthsOrStamp_Throws()
    {
        EmbeddingFormat format = new(EmbeddingElement.Float16, Widths);
        byte[] bytes = new byte[format.Length];

        Assert.Throws<ArgumentException>(() => EmbeddingValue.TryEncode(new float[127], format, Stamp, bytes));
        Assert.Throws<ArgumentException>(() => EmbeddingValue.TryEncode(new float[128], format, Stamp, new byte[format.Length - 1]));
        Assert.Throws<ArgumentException>(() => EmbeddingValue.TryEncode(new float[128], format, Stamp with { Step = -1 }, bytes));
        Assert.Throws<ArgumentException>(() =>
            EmbeddingValue.TryEncode(new float[128], format, Stamp with { EventTime = 1L << 48 }, bytes)
        );
    }

    [Theory]
    [InlineData]
    [InlineData(0)]
    [InlineData(16, 16)]
    [InlineData(32, 16)]
    [InlineData(16, 70000)]
    public void Format_BadWidths_Throws(params int[] widths) =>
        Assert.Throws<ArgumentException>(() => new EmbeddingFormat(EmbeddingElement.Float16, widths));

    [Fact]
    public void TryRead_EveryTruncation_IsRefused()
    {
        byte[] bytes = Encode(Vector(128), new EmbeddingFormat(EmbeddingElement.Float16, Widths));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(EmbeddingFault.Truncated, EmbeddingValue.TryRead(bytes.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void TryRead_EveryFlippedBit_IsRefused()
    {
        byte[] bytes = Encode(Vector(128), new EmbeddingFormat(EmbeddingElement.Int8, Widths, norms: true));
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(EmbeddingFault.None, EmbeddingValue.TryRead(bytes, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(EmbeddingFault.None, EmbeddingValue.TryRead(bytes, out _));
    }

    [Fact]
    public void Read_WhatIsNoGoodValue_SaysWhichKind()
    {
        byte[] good = Encode(Vector(128), new EmbeddingFormat(EmbeddingElement.Float16, Widths));
        byte[] newer = [.. good];
        newer[2] = 9;
        byte[] corrupt = [.. good];
        corrupt[100] ^= 1;

        Refused("a plain string"u8, EmbeddingFault.Foreign, "Foreign");
        Refused(good.AsSpan(0, 50), EmbeddingFault.Truncated, "Truncated");
        Refused(newer, EmbeddingFault.NewerVersion, "version 9");
        Refused(corrupt, EmbeddingFault.Corrupt, "Corrupt");
        Refused([.. good, 0], EmbeddingFault.Corrupt, "Corrupt");
    }

    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void TryRead_MillionHostileValues_NeverThrowsAndAcceptsOnlyWhatItCanDecode()
    {
        byte[] good = Encode(Vector(128), new EmbeddingFormat(EmbeddingElement.Float16, Widths, norms: true));
        byte[] buffer = new byte[700];
        float[] decoded = new float[65535];
        Fuzz.Run(
            5,
            1_000_000,
            10_000,
            random =>
            {
                Span<byte> value = buffer.AsSpan(0, random.Next(buffer.Length));
                Mutate(random, good, value, seal: random.Next(2) == 0);
                if (EmbeddingValue.TryRead(value, out EmbeddingView view) != EmbeddingFault.None)
                {
                    return false;
                }

                view.Decode(decoded.AsSpan(0, view.Dimension));
                Assert.Equal(view.Dimension, view.Width(view.WidthCount - 1));
                return true;
            }
        );
    }

    [Fact]
    public void EncodeAndDecode_SteadyState_AllocateNothing()
    {
        EmbeddingFormat format = new(EmbeddingElement.Float16, Widths);
        float[] vector = Vector(128);
        byte[] bytes = new byte[format.Length];
        RoundTrip(vector, format, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            RoundTrip(vector, format, bytes);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Decode_EveryHalf_IsItsExactSingle()
    {
        EmbeddingFormat format = new(EmbeddingElement.Float16, [63488]);
        Half[] halves = [.. Enumerable.Range(0, 65536).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).Where(Half.IsFinite)];
        float[] numbers = [.. halves.Select(half => (float)half)];
        float[] decoded = new float[numbers.Length];
        byte[] bytes = new byte[format.Length];
        Assert.True(EmbeddingValue.TryEncode(numbers, format, Stamp, bytes));
        EmbeddingValue.Read(bytes).Decode(decoded);

        Assert.Equal(numbers.Select(BitConverter.SingleToInt32Bits), decoded.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Replaces_TokenGoesBeforeStep()
    {
        Assert.True(new EmbeddingStamp(1, 3, 10, 0).Replaces(new(1, 2, 999, 0)));
        Assert.False(new EmbeddingStamp(1, 2, 999, 0).Replaces(new(1, 3, 10, 0)));
        Assert.True(new EmbeddingStamp(1, 2, 10, 0).Replaces(new(1, 2, 10, 0)));
        Assert.False(new EmbeddingStamp(1, 2, 9, 0).Replaces(new(1, 2, 10, 0)));
    }

    private static void RoundTrip(float[] vector, EmbeddingFormat format, byte[] bytes)
    {
        EmbeddingValue.TryEncode(vector, format, Stamp, bytes);
        EmbeddingValue.TryRead(bytes, out EmbeddingView view);
        view.Decode(vector.AsSpan(0, 128));
    }

    private static void Refused(ReadOnlySpan<byte> value, EmbeddingFault fault, string text)
    {
        byte[] bytes = value.ToArray();
        EmbeddingFormatException error = Assert.Throws<EmbeddingFormatException>(() => EmbeddingValue.Read(bytes).Dimension);
        Assert.Equal(fault, error.Fault);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A valid value with damage, half of the time with a corrected checksum, so that the checks behind it are reached.</summary>
    private static void Mutate(Random random, byte[] good, Span<byte> value, bool seal)
    {
        random.NextBytes(value);
        good.AsSpan(0, Math.Min(good.Length, value.Length)).CopyTo(value);
        for (int i = random.Next(6); i > 0 && value.Length > 0; i--)
        {
            value[random.Next(Math.Min(value.Length, 60))] = (byte)random.Next(256);
        }

        if (seal && value.Length >= EmbeddingLayout.FixedLength)
        {
            BitConverter.TryWriteBytes(value[EmbeddingLayout.ChecksumAt..], Checksum.OfValue(value));
        }
    }

    private static byte[] Encode(float[] vector, EmbeddingFormat format)
    {
        byte[] bytes = new byte[format.Length];
        Assert.True(EmbeddingValue.TryEncode(vector, format, Stamp, bytes));
        return bytes;
    }

    private static float[] Vector(int dimension)
    {
        Random random = new(dimension);
        return [.. Enumerable.Range(0, dimension).Select(_ => (random.NextSingle() * 2) - 1)];
    }
}
