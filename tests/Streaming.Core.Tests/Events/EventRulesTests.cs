using System.Text;
using Streaming.Core.Events;
using Xunit;

namespace Streaming.Core.Tests.Events;

public class EventRulesTests
{
    private const long Now = 1_700_000_000_000;
    private static readonly EventRules Rules = new(
        new EventTypes(new Dictionary<string, float> { ["view"] = 2f }, strict: true),
        TimeSpan.FromMinutes(5),
        new FixedTime(Now)
    );

    [Fact]
    public void Check_GoodEvent_GivesItsWeight()
    {
        Assert.Equal(DeadLetterReason.None, Check(weight: out float weight));
        Assert.Equal(2f, weight);
    }

    [Fact]
    public void Check_TimeBeforeTheEarliest_IsOutOfRange()
    {
        // A producer that sends seconds instead of milliseconds: January 1970.
        EventRules rules = new(
            new EventTypes(new Dictionary<string, float>()),
            TimeSpan.FromMinutes(1),
            new FixedTime(Now),
            earliest: 631_152_000_000
        );
        DeadLetterReason At(long eventTime) =>
            rules.Check(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    EventTime = eventTime,
                },
                out _
            );

        Assert.Equal(DeadLetterReason.TimeOutOfRange, At(Now / 1000));
        Assert.Equal(DeadLetterReason.TimeOutOfRange, At(631_151_999_999));
        Assert.Equal(DeadLetterReason.None, At(631_152_000_000));
        Assert.Equal(DeadLetterReason.NoTime, At(0));
    }

    [Fact]
    public void Explain_WhatIsRefused_NamesFieldValueAndWhatIsAllowed()
    {
        EventRules rules = new(
            new EventTypes(new Dictionary<string, float> { ["view"] = 1, ["buy"] = 2 }, strict: true),
            TimeSpan.FromMinutes(1),
            new FixedTime(Now),
            earliest: 631_152_000_000
        );
        string Said(InteractionEvent candidate) => rules.Explain(candidate, rules.Check(candidate, out _));

        Assert.Equal(
            "the event time is 1700000000 (1970-01-20T16:13:20Z); allowed: Unix milliseconds from 631152000000 (1990-01-01T00:00:00Z) "
                + "on (STREAMING__Events__EarliestYear)",
            Said(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    EventTime = 1_700_000_000,
                }
            )
        );
        Assert.StartsWith(
            "the event time is 99999999999999999; allowed: Unix milliseconds up to 00:01:00 ahead",
            Said(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    EventTime = 99_999_999_999_999_999,
                }
            ),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "the event type is \"click\"; allowed: view, buy (STREAMING__Events__Weights, because of STREAMING__Events__Strict)",
            Said(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    EventTime = Now,
                    Type = "click"u8,
                }
            )
        );
        Assert.StartsWith(
            "the event type is missing",
            Said(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    EventTime = Now,
                }
            ),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "the item id is 0xC328; allowed: UTF-8",
            Said(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = [0xC3, 0x28],
                    EventTime = Now,
                    Type = "view"u8,
                }
            )
        );
        Assert.Equal(
            "the dwell time is -1; allowed: milliseconds, 0 and up",
            Said(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    EventTime = Now,
                    DwellTime = -1,
                }
            )
        );
        Assert.Equal("the user id is missing or empty", Said(new InteractionEvent { ItemId = "i"u8, EventTime = Now }));
    }

    [Fact]
    public void Check_ClockSetBackOrForth_GoodEventsStayGood()
    {
        FixedTime time = new(Now);
        EventRules rules = new(new EventTypes(new Dictionary<string, float>()), TimeSpan.FromMinutes(1), time);
        DeadLetterReason At(long eventTime) =>
            rules.Check(
                new InteractionEvent
                {
                    UserId = "u"u8,
                    ItemId = "i"u8,
                    Type = "view"u8,
                    EventTime = eventTime,
                },
                out _
            );

        time.Leap(TimeSpan.FromHours(-1));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(DeadLetterReason.None, At(Now + 660_000));
        Assert.Equal(DeadLetterReason.TimeInFuture, At(Now + 660_001));

        // A machine that slept, or whose clock was wrong at the start: the wall clock is later.
        time.Leap(TimeSpan.FromHours(3));
        Assert.Equal(DeadLetterReason.None, At(Now + 7_860_000));
        Assert.Equal(DeadLetterReason.TimeInFuture, At(Now + 7_860_001));
    }

    [Theory]
    [InlineData("", "i", "view", "", DeadLetterReason.NoUser)]
    [InlineData("u", "", "view", "", DeadLetterReason.NoItem)]
    [InlineData("u", "i", "", "", DeadLetterReason.NoType)]
    [InlineData("u", "i", "look", "", DeadLetterReason.UnknownType)]
    public void Check_TextThatBreaksARule_SaysWhich(string user, string item, string type, string id, DeadLetterReason expected) =>
        Assert.Equal(expected, Check(user, item, type, id));

    [Theory]
    [InlineData(256, DeadLetterReason.None)]
    [InlineData(257, DeadLetterReason.IdTooLong)]
    public void Check_LengthOfIds_IsBounded(int length, DeadLetterReason expected)
    {
        string text = new('x', length);
        Assert.Equal(expected, Check(user: text));
        Assert.Equal(expected, Check(item: text));
        Assert.Equal(expected, Check(id: text));
    }

    [Theory]
    [InlineData(0L, DeadLetterReason.NoTime)]
    [InlineData(-1L, DeadLetterReason.TimeOutOfRange)]
    [InlineData(long.MinValue, DeadLetterReason.TimeOutOfRange)]
    [InlineData(1L, DeadLetterReason.None)]
    [InlineData(Now + 300_000, DeadLetterReason.None)]
    [InlineData(Now + 300_001, DeadLetterReason.TimeInFuture)]
    [InlineData(long.MaxValue, DeadLetterReason.TimeInFuture)]
    public void Check_EventTime_IsBounded(long time, DeadLetterReason expected) => Assert.Equal(expected, Check(time: time));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Check_ValueThatIsNoNumber_IsRefused(double value) => Assert.Equal(DeadLetterReason.InvalidNumber, Check(value: value));

    [Fact]
    public void Check_NegativeDwell_IsRefused() => Assert.Equal(DeadLetterReason.InvalidNumber, Check(dwell: -1));

    [Fact]
    public void Check_BytesThatAreNoUtf8_AreRefused()
    {
        InteractionEvent candidate = new()
        {
            UserId = "u"u8,
            ItemId = [0xC3, 0x28],
            Type = "view"u8,
            EventTime = Now,
        };
        Assert.Equal(DeadLetterReason.InvalidUtf8, Rules.Check(candidate, out _));
    }

    private static DeadLetterReason Check(
        string user = "u",
        string item = "i",
        string type = "view",
        string id = "",
        long time = Now,
        double? value = null,
        long? dwell = null
    ) => Check(out _, user, item, type, id, time, value, dwell);

    private static DeadLetterReason Check(
        out float weight,
        string user = "u",
        string item = "i",
        string type = "view",
        string id = "",
        long time = Now,
        double? value = null,
        long? dwell = null
    )
    {
        InteractionEvent candidate = new()
        {
            UserId = Encoding.UTF8.GetBytes(user),
            ItemId = Encoding.UTF8.GetBytes(item),
            Type = Encoding.UTF8.GetBytes(type),
            EventId = Encoding.UTF8.GetBytes(id),
            EventTime = time,
            Value = value,
            DwellTime = dwell,
        };
        return Rules.Check(candidate, out weight);
    }
}
