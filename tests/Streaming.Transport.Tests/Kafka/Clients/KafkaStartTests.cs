using Streaming.Core.Options;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Clients;

public class KafkaStartTests
{
    [Theory]
    [InlineData("earliest", true, null)]
    [InlineData("Latest", false, null)]
    [InlineData("2026-03-01T06:00Z", false, "2026-03-01T06:00:00+00:00")]
    [InlineData("2026-03-01T06:00:00Z", false, "2026-03-01T06:00:00+00:00")]
    [InlineData("2026-03-01T06:00:00.25+02:00", false, "2026-03-01T04:00:00.25+00:00")]
    public void TryParse_WhatIsAllowed_IsRead(string text, bool earliest, string? time)
    {
        Assert.True(KafkaStart.TryParse(text, out KafkaStart start));
        Assert.Equal(earliest, start.IsEarliest);
        Assert.Equal(time is null ? null : DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture), start.Time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("newest")]
    [InlineData("2026-03-01")]
    [InlineData("2026-03-01T06:00:00")] // no zone
    [InlineData("1969-12-31T23:59:59Z")]
    [InlineData("1772344800")]
    public void TryParse_AnythingElse_IsRefused(string text)
    {
        Assert.False(KafkaStart.TryParse(text, out _));
        string message = Assert.Throws<OptionsException>(new KafkaOptions { Start = text }.Validate).Message;
        Assert.Equal(
            $"Start is {(text.Length == 0 ? "empty" : $"'{text}'")}; allowed: earliest, latest, or an ISO 8601 time with a zone such as "
                + "2026-03-01T06:00:00Z.",
            message
        );
    }
}
