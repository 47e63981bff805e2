using Streaming.Models.Layers;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class DropoutTests
{
    private static readonly Increments Widths = new([8, 32]);

    [Fact]
    public void Apply_RatePerIncrement_DropsThatShareAndKeepsTheMean()
    {
        float[] values = Ones(2000);

        new Dropout(Widths, [0.1f, 0.5f], 1, 0).Apply(values, 0, 3);

        foreach ((int start, int end, double rate) in new[] { (0, 8, 0.1), (8, 32, 0.5) })
        {
            float[] part = [.. values.Where((_, i) => i % 32 >= start && i % 32 < end)];
            Assert.Equal(rate, part.Count(value => value == 0) / (double)part.Length, 0.02);
            Assert.Equal(1, part.Average(), 0.03);
        }
    }

    [Fact]
    public void Apply_SameStepAndRow_DropsTheSameInAnyChunk()
    {
        float[] whole = Ones(10),
            chunk = Ones(4);
        var dropout = new Dropout(Widths, [0.3f, 0.3f], 1, 0);

        dropout.Apply(whole, 0, 3);
        dropout.Apply(chunk, 6, 3);

        Assert.Equal(whole[(6 * 32)..], chunk);
    }

    [Fact]
    public void Apply_OtherStepSiteOrSeed_DropsOthers()
    {
        float[][] masks = [Mask(1, 0, 3), Mask(1, 0, 4), Mask(1, 1, 3), Mask(2, 0, 3)];

        Assert.Equal(4, masks.Select(mask => string.Join(',', mask)).Distinct().Count());

        static float[] Mask(ulong seed, int site, long step)
        {
            float[] values = Ones(4);
            new Dropout(Widths, [0.5f, 0.5f], seed, site).Apply(values, 0, step);
            return values;
        }
    }

    [Fact]
    public void Apply_OutsideTraining_LeavesEverything()
    {
        float[] values = Ones(4);

        new Dropout(Widths, [0.9f, 0.9f], 1, 0).Apply(values, 0, -1);
        new Dropout(Widths, [0f, 0f], 1, 0).Apply(values, 0, 3);

        Assert.All(values, value => Assert.Equal(1, value));
    }

    private static float[] Ones(int rows) => [.. Enumerable.Repeat(1f, rows * 32)];
}
