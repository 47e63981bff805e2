using Streaming.Transport.Redis.Publishing;
using Streaming.Transport.Tests.Kafka;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

/// <summary>Which items are not stored, and why, as of now.</summary>
public sealed class RefusedVectorsTests
{
    private readonly SteppedTime _time = new();
    private readonly RefusedVectors _refused;

    public RefusedVectorsTests() => _refused = new RefusedVectors(_time);

    [Fact]
    public void Describe_ManyItems_NamesThreeAndCountsAll()
    {
        for (int i = 0; i < 28; i++)
        {
            _refused.Add(Make.Item($"i{i}"), VectorFault.TooLarge, $"{70 + i},000");
        }

        Assert.Equal(
            "the newest vectors of 28 items are not in Redis: that of 'i0' has the number 70,000; Float16 ends at 65,504. Scale the "
                + "item's features, or set STREAMING__Redis__Element to Float32 or Int8 (also 'i1', 'i2', …)",
            _refused.Describe(VectorFault.TooLarge)
        );
        Assert.Empty(_refused.Describe(VectorFault.NotFinite));
    }

    [Fact]
    public void Count_EachItemOnceUnderItsNewestReasonUntilItIsStored()
    {
        _refused.Add(Make.Item("a"), VectorFault.TooLarge, "70,000");
        _refused.Add(Make.Item("b"), VectorFault.WrongLength, "3");
        _refused.Add(Make.Item("a"), VectorFault.NotFinite, "NaN");
        Assert.Equal((1, 0, 1), Counts());
        Assert.Contains("'b' has 3 numbers; allowed", _refused.Describe(VectorFault.WrongLength), StringComparison.Ordinal);

        _refused.Remove(Make.Key("b"));
        _refused.Remove(Make.Key("never refused"));
        Assert.Equal((1, 0, 0), Counts());
        _refused.Remove(Make.Key("a"));
        Assert.Equal((0, 0, 0), Counts());
        Assert.Empty(_refused.Describe(VectorFault.NotFinite));
    }

    [Fact]
    public void IsDue_EachReasonAtOnceAndThenOnceAMinuteWhileItGrows()
    {
        _refused.Add(Make.Item("a"), VectorFault.TooLarge, "70,000");
        Assert.True(_refused.IsDue(VectorFault.TooLarge));
        Assert.False(_refused.IsDue(VectorFault.NotFinite));
        _refused.Add(Make.Item("b"), VectorFault.NotFinite, "NaN");
        Assert.True(_refused.IsDue(VectorFault.NotFinite));

        _refused.Add(Make.Item("c"), VectorFault.TooLarge, "70,000");
        Assert.False(_refused.IsDue(VectorFault.TooLarge));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(_refused.IsDue(VectorFault.TooLarge));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(_refused.IsDue(VectorFault.TooLarge)); // None since.

        _refused.Add(Make.Item("d"), VectorFault.WrongLength, "3");
        _refused.Remove(Make.Key("d"));
        Assert.False(_refused.IsDue(VectorFault.WrongLength)); // Stored meanwhile: there is nothing to say.
    }

    [Fact]
    public void Describe_IdWithControlCharacters_ShowsThemEscaped()
    {
        _refused.Add(Make.Item("a\nb"), VectorFault.WrongLength, "3");
        Assert.Contains("'a\\u000ab'", _refused.Describe(VectorFault.WrongLength), StringComparison.Ordinal);
    }

    private (int NotFinite, int TooLarge, int WrongLength) Counts() =>
        (_refused.Count(VectorFault.NotFinite), _refused.Count(VectorFault.TooLarge), _refused.Count(VectorFault.WrongLength));
}
