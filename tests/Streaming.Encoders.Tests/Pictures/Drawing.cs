using SkiaSharp;

namespace Streaming.Encoders.Tests.Pictures;

/// <summary>Draws small pictures for tests.</summary>
internal static class Drawing
{
    /// <summary>A disc or a square, of a colour, on another.</summary>
    public static byte[] Shape(bool isDisc, SKColor colour, SKEncodedImageFormat format = SKEncodedImageFormat.Png, int size = 64)
    {
        using var bitmap = new SKBitmap(size, size);
        using (var canvas = new SKCanvas(bitmap))
        using (var paint = new SKPaint { Color = colour, IsAntialias = true })
        {
            canvas.Clear(SKColors.WhiteSmoke);
            if (isDisc)
            {
                canvas.DrawCircle(size / 2f, size / 2f, size / 3f, paint);
            }
            else
            {
                for (int y = 0; y < size; y += 8)
                {
                    canvas.DrawRect(0, y, size, 3, paint);
                }
            }
        }

        return Encode(bitmap, format);
    }

    /// <summary>A picture of one colour above another.</summary>
    public static byte[] Halves(SKColor top, SKColor bottom, int width = 8, int height = 8)
    {
        using var bitmap = new SKBitmap(width, height);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                bitmap.SetPixel(x, y, y < height / 2 ? top : bottom);
            }
        }

        return Encode(bitmap, SKEncodedImageFormat.Png);
    }

    public static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using SKData data = bitmap.Encode(format, 90);
        return data.ToArray();
    }
}
