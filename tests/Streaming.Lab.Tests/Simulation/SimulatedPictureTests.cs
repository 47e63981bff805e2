using SkiaSharp;
using Streaming.Lab.Simulation;
using Xunit;

namespace Streaming.Lab.Tests.Simulation;

public class SimulatedPictureTests
{
    [Fact]
    public void Draw_SameItem_IsTheSameFile() => Assert.Equal(SimulatedPicture.Draw(3, 53), SimulatedPicture.Draw(3, 53));

    /// <summary>Even bare pixels, halved in size, tell an item's kind: encoders have something to find.</summary>
    [Fact]
    public void Draw_ItemsOfAKind_AreMoreAlikeThanOthers()
    {
        const int kinds = 20;
        float[][] first = [.. Enumerable.Range(0, kinds).Select(static kind => Pixels(kind, kind))];
        int right = 0;
        for (int kind = 0; kind < kinds; kind++)
        {
            float[] other = Pixels(kind, kinds + kind);
            int nearest = Enumerable
                .Range(0, kinds)
                .MinBy(candidate => first[candidate].Zip(other, static (a, b) => (a - b) * (a - b)).Sum());
            right += nearest == kind ? 1 : 0;
        }

        Assert.True(right >= kinds / 2, $"{right} of {kinds}");
    }

    private static float[] Pixels(int kind, int item)
    {
        using var picture = SKBitmap.Decode(SimulatedPicture.Draw(kind, item));
        Assert.Equal((SimulatedPicture.Size, SimulatedPicture.Size), (picture.Width, picture.Height));
        using SKBitmap small = picture.Resize(new SKSizeI(24, 24), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        return [.. small.Pixels.SelectMany(static pixel => (float[])[pixel.Red, pixel.Green, pixel.Blue])];
    }
}
