using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;
using Xunit;

namespace Streaming.Formats.Tests.Mapping;

public class TimeReaderTests
{
    private const long Moment = 1_772_323_242_645; // 2026-03-01T00:00:42.645Z

    [Theory]
    [InlineData("1772323242.645")]
    [InlineData("1772323242645")]
    [InlineData("1772323242645000")]
    [InlineData("1772323242645123")]
    [InlineData("1772323242645000000")]
    [InlineData("1.772323242645E9")]
    [InlineData("2026-03-01T00:00:42.645Z")]
    [InlineData("2026-03-01T00:00:42.645123Z")]
    [InlineData("2026-03-01T00:00:42,645Z")]
    [InlineData("2026-03-01 00:00:42.645+00")]
    [InlineData("2026-03-01 00:00:42.645000+00:00")]
    [InlineData("2026-03-01 00:00:42.645 UTC")]
    [InlineData("2026-03-01T01:00:42.645123456+01:00[Europe/Berlin]")]
    [InlineData("2026-03-01T00:00:42.645Z[UTC]")]
    [InlineData("2026-03-01 00:00:42.645 +0000")]
    [InlineData("2026-02-28T22:00:42.645-0200")]
    [InlineData("2026-03-01T05:30:42.645+05:30")]
    [InlineData("2026/03/01 00:00:42.645")]
    [InlineData(" 2026-03-01 00:00:42.645 ")]
    public void Read_TheSameMomentInManyForms_IsThatMoment(string text) =>
        Assert.Equal((DeadLetterReason.None, Moment), Read(new TimeReader(), text));

    [Theory]
    [InlineData("2026-03-01", 1_772_323_200_000)]
    [InlineData("2026-03-01T00:01Z", 1_772_323_260_000)]
    [InlineData("2026-03-01T00:00:60Z", 1_772_323_259_000)]
    public void Read_ShortForms_AreRead(string text, long expected) =>
        Assert.Equal((DeadLetterReason.None, expected), Read(new TimeReader(), text));

    [Theory]
    [InlineData("20231101", DeadLetterReason.TimeOutOfRange)] // seconds: 1970; a date: perhaps
    [InlineData("20231114221320", DeadLetterReason.TimeOutOfRange)] // milliseconds: 2611
    [InlineData("5", DeadLetterReason.TimeOutOfRange)]
    [InlineData("-1", DeadLetterReason.TimeOutOfRange)]
    [InlineData("NaN", DeadLetterReason.TimeOutOfRange)]
    [InlineData("1e300", DeadLetterReason.TimeOutOfRange)]
    [InlineData("1970-01-02", DeadLetterReason.TimeOutOfRange)]
    [InlineData("01/03/2026", DeadLetterReason.Malformed)] // the first of March, or the third of January
    [InlineData("01.03.2026 00:00:42", DeadLetterReason.Malformed)]
    [InlineData("2026-13-01", DeadLetterReason.Malformed)]
    [InlineData("2026-02-30", DeadLetterReason.Malformed)]
    [InlineData("2026-03-01T24:00:00Z", DeadLetterReason.Malformed)]
    [InlineData("2026-03-01T00:00:42 CET", DeadLetterReason.Malformed)]
    [InlineData("2026-03-01T", DeadLetterReason.Malformed)]
    [InlineData("yesterday", DeadLetterReason.Malformed)]
    [InlineData("", DeadLetterReason.NoTime)]
    public void Read_WhatIsNoTimeOrMayMeanAnother_IsRefused(string text, DeadLetterReason expected) =>
        Assert.Equal(expected, Read(new TimeReader(), text).Reason);

    [Theory]
    [InlineData(TimeUnit.S, "5", 5_000)]
    [InlineData(TimeUnit.Ms, "1772323242645", Moment)]
    [InlineData(TimeUnit.Us, "1772323242645000", Moment)]
    [InlineData(TimeUnit.Ns, "1772323242645000000", Moment)]
    public void Read_UnitGiven_IsTaken(TimeUnit unit, string text, long expected) =>
        Assert.Equal((DeadLetterReason.None, expected), Read(new TimeReader(unit), text));

    [Fact]
    public void Read_UnitGivenThatCannotBe_IsRefusedWithWhatItWouldMean()
    {
        var reader = new TimeReader(TimeUnit.S);

        Assert.Equal(DeadLetterReason.TimeOutOfRange, Read(reader, "1772323242645").Reason);
        Assert.Contains("as ms it would be 2026-03-01", reader.Explain("1772323242645"u8), StringComparison.Ordinal);
        Assert.Contains("as ms it would be 2611-02-06", new TimeReader().Explain("20231114221320"u8), StringComparison.Ordinal);
        Assert.Contains("as s it would be 1970-08-23", new TimeReader().Explain("20231101"u8), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dd.MM.yyyy HH:mm:ss", null, "01.03.2026 00:00:42", 1_772_323_242_000)]
    [InlineData("dd.MM.yyyy HH:mm:ss", "+01:00", "01.03.2026 01:00:42", 1_772_323_242_000)]
    [InlineData("dd.MM.yyyy HH:mm:ss", "Europe/Berlin", "01.07.2026 02:00:00", 1_782_864_000_000)]
    [InlineData("yyyyMMdd", null, "20260301", 1_772_323_200_000)]
    [InlineData("M/d/yyyy H:mm zzz", null, "3/1/2026 2:00 +02:00", 1_772_323_200_000)]
    public void Read_FormatGiven_IsTheOnlyOne(string format, string? zone, string text, long expected)
    {
        var reader = new TimeReader(format: format, zone: zone is null ? null : TimeReader.FindZone(zone));

        Assert.Equal((DeadLetterReason.None, expected), Read(reader, text));
        Assert.Equal(DeadLetterReason.Malformed, Read(reader, "1772323242645").Reason);
    }

    [Fact]
    public void Read_ZoneGiven_HoldsForTimesWithoutOne()
    {
        var reader = new TimeReader(zone: TimeReader.FindZone("-03:00"));

        Assert.Equal((DeadLetterReason.None, Moment), Read(reader, "2026-02-28 21:00:42.645"));
        Assert.Equal((DeadLetterReason.None, Moment), Read(reader, "2026-03-01 00:00:42.645Z"));
        Assert.Throws<FormatException>(() => TimeReader.FindZone("Mars/Olympus"));
    }

    private static (DeadLetterReason Reason, long Time) Read(TimeReader reader, string text)
    {
        var tree = new RecordTree();
        tree.Clear();
        return (reader.Read(tree.Detached(ValueKind.Text, Encoding.UTF8.GetBytes(text)), out long time), time);
    }
}
