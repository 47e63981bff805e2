using SkiaSharp;

namespace Streaming.Lab.Simulation;

/// <summary>
/// Draws the picture of a simulated item: the outline, pattern and hue are its cluster's; position, size, angle, lightness and background
/// its own. Deterministic.
/// </summary>
internal static class SimulatedPicture
{
    /// <summary>Width and height in pixels.</summary>
    public const int Size = 96;

    private const int Corners = 72;
    private const int Waves = 5;

    /// <summary>Draws a picture.</summary>
    /// <param name="cluster">The item's cluster.</param>
    /// <param name="item">The item's number.</param>
    /// <returns>A PNG file.</returns>
    public static byte[] Draw(int cluster, int item)
    {
        var kind = new Random((cluster * 7919) + 17);
        var own = new Random((item * 104_729) + 5);
        using var bitmap = new SKBitmap(new SKImageInfo(Size, Size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColor.FromHsl(360 * own.NextSingle(), 10, 90 + (8 * own.NextSingle())));
            canvas.Translate(Size * (0.45f + (0.1f * own.NextSingle())), Size * (0.45f + (0.1f * own.NextSingle())));
            canvas.RotateDegrees((20 * own.NextSingle()) - 10);
            canvas.Scale(0.85f + (0.3f * own.NextSingle()));
            using SKPath outline = Outline(kind);
            using var paint = new SKPaint
            {
                IsAntialias = true,
                Color = SKColor.FromHsl(360 * kind.NextSingle(), 40 + (40 * kind.NextSingle()), 35 + (25 * own.NextSingle())),
            };
            canvas.DrawPath(outline, paint);
            canvas.ClipPath(outline, SKClipOperation.Intersect, antialias: true);
            DrawPattern(canvas, kind);
        }

        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    /// <summary>A closed curve around the centre, its radius a sum of waves, wider or higher than a circle.</summary>
    private static SKPath Outline(Random kind)
    {
        float[] height = [.. Enumerable.Range(0, Waves).Select(_ => 0.35f * kind.NextSingle())];
        float[] phase = [.. Enumerable.Range(0, Waves).Select(_ => MathF.Tau * kind.NextSingle())];
        float aspect = 0.6f + kind.NextSingle();
        var path = new SKPathBuilder();
        for (int corner = 0; corner < Corners; corner++)
        {
            float angle = MathF.Tau * corner / Corners;
            float radius = 0.28f * Size;
            for (int wave = 0; wave < Waves; wave++)
            {
                radius *= 1 + (height[wave] * MathF.Cos(((wave + 2) * angle) + phase[wave]));
            }

            float x = radius * MathF.Cos(angle) * MathF.Sqrt(aspect);
            float y = radius * MathF.Sin(angle) / MathF.Sqrt(aspect);
            if (corner == 0)
            {
                path.MoveTo(x, y);
            }
            else
            {
                path.LineTo(x, y);
            }
        }

        path.Close();
        return path.Detach();
    }

    private static void DrawPattern(SKCanvas canvas, Random kind)
    {
        int pattern = kind.Next(4);
        float step = 5 + (9 * kind.NextSingle());
        canvas.RotateDegrees(180 * kind.NextSingle());
        using var paint = new SKPaint
        {
            IsAntialias = true,
            Color = SKColor.FromHsl(360 * kind.NextSingle(), 60, 80),
            StrokeWidth = step / 3,
        };
        for (float y = -Size; y < Size; y += step)
        {
            if (pattern is 0 or 1)
            {
                canvas.DrawLine(-Size, y, Size, y, paint);
            }

            if (pattern == 1)
            {
                canvas.DrawLine(y, -Size, y, Size, paint);
            }

            for (float x = -Size; pattern == 2 && x < Size; x += step)
            {
                canvas.DrawCircle(x, y, step / 4, paint);
            }
        }
    }
}
