using Streaming.Core.Events;
using Xunit;

namespace Streaming.Core.Tests.Events;

public class EventTypesTests
{
    private static readonly Dictionary<string, float> Weights = new(StringComparer.Ordinal)
    {
        ["view"] = 1f,
        ["purchase"] = 4f,
        ["impression"] = 0f,
    };

    [Fact]
    public void Find_ConfiguredType_GivesItsWeight()
    {
        EventTypes types = new(Weights);
        Assert.Equal(DeadLetterReason.None, types.Find("purchase"u8, out float weight));
        Assert.Equal(4f, weight);
        Assert.Equal(DeadLetterReason.None, types.Find("impression"u8, out weight));
        Assert.Equal(0f, weight);
    }

    [Fact]
    public void Find_OtherTypeNotStrict_GivesTheDefault()
    {
        EventTypes types = new(Weights, defaultWeight: 0.5f);
        Assert.Equal(DeadLetterReason.None, types.Find("viewed"u8, out float weight));
        Assert.Equal(0.5f, weight);
        Assert.Equal(DeadLetterReason.None, types.Find(default, out weight));
        Assert.Equal(0.5f, weight);
    }

    [Fact]
    public void Find_OtherTypeStrict_IsRefused()
    {
        EventTypes types = new(Weights, strict: true);
        Assert.Equal(DeadLetterReason.UnknownType, types.Find("View"u8, out _));
        Assert.Equal(DeadLetterReason.NoType, types.Find(default, out _));
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    [InlineData(1001f)]
    public void Constructor_WeightOutOfBounds_NamesTypeAndValue(float weight)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            new EventTypes(new Dictionary<string, float> { ["click"] = weight })
        );
        Assert.Contains($"'click' has weight {weight}; allowed: 0 to 1000", error.Message, StringComparison.Ordinal);
    }
}
