using Streaming.Models.Layers;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class IncrementsTests
{
    [Fact]
    public void Increments_OfWidths_TileTheDimension()
    {
        var widths = new Increments([4, 8, 20]);

        Assert.Equal((3, 20), (widths.Count, widths.Dimension));
        Assert.Equal(
            [(0, 4, 4), (4, 8, 4), (8, 20, 12)],
            Enumerable.Range(0, 3).Select(k => (widths.Start(k), widths.End(k), widths.Length(k)))
        );
    }

    [Fact]
    public void Scale_ByGates_KeepsAnIncrementTogether() => Assert.Equal([12, 24, 60], new Increments([4, 8, 20]).Scale(3).Ends.ToArray());
}
