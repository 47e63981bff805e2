using SkiaSharp;
using Streaming.Encoders.Onnx;

namespace Streaming.Encoders.Pictures;

/// <summary>Decodes pictures (JPEG, PNG, WebP, GIF, BMP, ICO) within bounds, upright, on white, scaled to cover a model's input.</summary>
/// <param name="width">Width of the input.</param>
/// <param name="height">Height of the input.</param>
/// <param name="scale">How the model wants pixels.</param>
internal sealed class PictureReader(int width, int height, PixelScale scale) : IDisposable
{
    /// <summary>The largest picture: it takes 4 bytes a pixel while it is decoded.</summary>
    public const long MaxPixels = 50_000_000;

    private readonly SKBitmap _canvas = Create(width, height);

    /// <summary>Decodes a picture.</summary>
    /// <param name="file">The bytes of the file.</param>
    /// <param name="pixels">[3, height, width]; overwritten.</param>
    /// <returns>Why the picture cannot be used; null: it can.</returns>
    public string? Read(byte[] file, Span<float> pixels)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data);
        if (codec is null)
        {
            return "not a picture in a known format; allowed: JPEG, PNG, WebP, GIF, BMP";
        }

        SKImageInfo info = codec.Info;
        if ((long)info.Width * info.Height > MaxPixels)
        {
            return $"{info.Width} × {info.Height} pixels; allowed: {MaxPixels / 1_000_000} million";
        }

        using var picture = new SKBitmap(info.WithColorType(SKColorType.Rgba8888).WithAlphaType(SKAlphaType.Premul));
        SKCodecResult result = codec.GetPixels(picture.Info, picture.GetPixels());
        if (result != SKCodecResult.Success)
        {
            return $"damaged ({result})";
        }

        Draw(picture, codec.EncodedOrigin);
        Copy(pixels);
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _canvas.Dispose();

    private static SKBitmap Create(int width, int height)
    {
        try
        {
            return new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        }
        catch (Exception exception) when (exception is TypeInitializationException or DllNotFoundException)
        {
            throw new EncoderLibraryException("Skia", exception);
        }
    }

    private void Draw(SKBitmap picture, SKEncodedOrigin origin)
    {
        // What cameras write; pictures that are mirrored as well stay mirrored.
        int turn = origin switch
        {
            SKEncodedOrigin.RightTop or SKEncodedOrigin.LeftTop => 90,
            SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft => 180,
            SKEncodedOrigin.LeftBottom or SKEncodedOrigin.RightBottom => 270,
            _ => 0,
        };
        bool isTurned = turn is 90 or 270;
        float factor = Math.Max(
            (float)width / (isTurned ? picture.Height : picture.Width),
            (float)height / (isTurned ? picture.Width : picture.Height)
        );
        using var canvas = new SKCanvas(_canvas);
        canvas.Clear(SKColors.White);
        canvas.Translate(width / 2f, height / 2f);
        canvas.RotateDegrees(turn);
        canvas.Scale(factor);
        canvas.Translate(-picture.Width / 2f, -picture.Height / 2f);
        using var image = SKImage.FromBitmap(picture);
        canvas.DrawImage(image, 0, 0, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        canvas.Flush();
    }

    private void Copy(Span<float> pixels)
    {
        ReadOnlySpan<byte> bytes = _canvas.GetPixelSpan();
        int plane = width * height;
        for (int channel = 0; channel < 3; channel++)
        {
            int offset = scale.IsBgr ? 2 - channel : channel;
            for (int i = 0; i < plane; i++)
            {
                pixels[(channel * plane) + i] = scale.Scale(channel, bytes[(4 * i) + offset]);
            }
        }
    }
}
