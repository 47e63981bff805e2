using System.Buffers.Binary;
using SkiaSharp;
using Streaming.Encoders.Pictures;
using Xunit;

namespace Streaming.Encoders.Tests.Pictures;

public class PictureReaderTests
{
    private const int Width = 8;
    private const int Height = 8;

    [Theory]
    [InlineData("torch", 2.2489f, -2.0357f, -1.8044f)] // red: (255 − 123.675) / 58.395, …
    [InlineData("clip", 1.9303f, -1.7521f, -1.4802f)]
    [InlineData("tf", 1, -1, -1)]
    [InlineData("caffe", -103.939f, -116.779f, 131.32f)] // blue, green, red
    public void Read_OneColour_IsScaledAsTheModelWants(string scale, float first, float second, float third)
    {
        float[] pixels = Read(Drawing.Halves(SKColors.Red, SKColors.Red), scale);

        Assert.All(pixels[..64], value => Assert.Equal(first, value, 0.002));
        Assert.All(pixels[64..128], value => Assert.Equal(second, value, 0.002));
        Assert.All(pixels[128..], value => Assert.Equal(third, value, 0.002));
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Read_FormatsOfCatalogues_AreTheSamePicture(SKEncodedImageFormat format)
    {
        float[] expected = Read(Drawing.Shape(isDisc: true, SKColors.Teal));
        float[] pixels = Read(Drawing.Shape(isDisc: true, SKColors.Teal, format));

        Assert.True(expected.Zip(pixels, static (one, other) => Math.Abs(one - other)).Average() < 0.05);
    }

    [Fact]
    public void Read_TransparentPicture_IsOnWhite() =>
        Assert.All(Read(Drawing.Halves(SKColors.Transparent, SKColors.Transparent)), AssertWhite);

    [Fact]
    public void Read_HighPicture_KeepsItsMiddle()
    {
        // 8 × 32, of which the middle 8 × 8 is seen: half of it above the border.
        float[] pixels = Read(Drawing.Halves(SKColors.White, SKColors.Black, 8, 32));

        Assert.All(pixels[..24], AssertWhite);
        Assert.All(pixels[40..64], static value => Assert.Equal(-1, value, 0.01));
    }

    [Fact]
    public void Read_PictureOfATurnedCamera_IsUpright()
    {
        // Stored with white on top, taken with the camera turned by 180°.
        float[] pixels = Read(Turned(Drawing.Halves(SKColors.White, SKColors.Black, 64, 64), orientation: 3));

        Assert.Equal(-1, pixels[(2 * Width) + 4], 0.05);
        Assert.Equal(1, pixels[(6 * Width) + 4], 0.05);
    }

    [Fact]
    public void Read_WhatIsNoPicture_IsRefusedWithAReason()
    {
        byte[] whole = Drawing.Shape(isDisc: false, SKColors.Navy);

        Assert.Contains("not a picture in a known format", Problem([1, 2, 3]), StringComparison.Ordinal);
        Assert.Contains("not a picture in a known format", Problem([]), StringComparison.Ordinal);
        Assert.Contains("damaged (IncompleteInput)", Problem(whole[..^60]), StringComparison.Ordinal);
        Assert.Contains("30000 × 30000 pixels; allowed: 50 million", Problem(OfSize(whole, 30_000)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnyDamage_IsAReasonOrAPicture()
    {
        byte[] whole = Drawing.Shape(isDisc: true, SKColors.Teal, SKEncodedImageFormat.Jpeg);
        var random = new Random(1);
        using var reader = new PictureReader(Width, Height, PixelScale.All[0]);
        int read = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. whole];
            for (int n = random.Next(1, 8); n > 0; n--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            read += reader.Read(damaged, new float[3 * Width * Height]) is null ? 1 : 0;
        }

        Assert.InRange(read, 1, 299);
    }

    private static void AssertWhite(float value) => Assert.Equal(1, value, 0.01);

    private static float[] Read(byte[] file, string scale = "tf")
    {
        using var reader = new PictureReader(Width, Height, PixelScale.All.First(one => one.Name == scale));
        float[] pixels = new float[3 * Width * Height];
        Assert.Null(reader.Read(file, pixels));
        return pixels;
    }

    private static string Problem(byte[] file)
    {
        using var reader = new PictureReader(Width, Height, PixelScale.All[0]);
        return reader.Read(file, new float[3 * Width * Height])!;
    }

    /// <summary>A PNG whose header says another size; the checksum of the header is right.</summary>
    private static byte[] OfSize(byte[] png, int size)
    {
        byte[] other = [.. png];
        BinaryPrimitives.WriteInt32BigEndian(other.AsSpan(16), size);
        BinaryPrimitives.WriteInt32BigEndian(other.AsSpan(20), size);
        BinaryPrimitives.WriteUInt32BigEndian(other.AsSpan(29), Crc(other.AsSpan(12, 17)));
        return other;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }

    /// <summary>The picture as JPEG with an EXIF orientation.</summary>
    private static byte[] Turned(byte[] png, byte orientation)
    {
        using var bitmap = SKBitmap.Decode(png);
        byte[] jpeg = Drawing.Encode(bitmap, SKEncodedImageFormat.Jpeg);
        byte[] exif =
        [
            0xFF,
            0xE1,
            0,
            34,
            .. "Exif\0\0"u8,
            .. "MM\0*"u8,
            0,
            0,
            0,
            8,
            0,
            1,
            0x01,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            orientation,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }
}
