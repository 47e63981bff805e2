using System.Globalization;
using System.Text.Unicode;

namespace Streaming.Core.Events;

/// <summary>Validates events: ids present and bounded, a known type, a plausible time.</summary>
public sealed class EventRules
{
    private readonly EventTypes _types;
    private readonly TimeProvider _time;
    private readonly long _allowedFuture;
    private readonly long _earliest;
    private readonly long _startTime;
    private readonly long _startTimestamp;

    /// <summary>Creates the rules.</summary>
    /// <param name="types">The weights by type.</param>
    /// <param name="allowedFuture">How far ahead of <paramref name="time"/> an event time may be (clocks differ), 0 … 1 day.</param>
    /// <param name="time">The clock.</param>
    /// <param name="earliest">The earliest event time, Unix milliseconds, 0 and up: rejects seconds sent as milliseconds.</param>
    public EventRules(EventTypes types, TimeSpan allowedFuture, TimeProvider time, long earliest = 0)
    {
        ArgumentNullException.ThrowIfNull(types);
        ArgumentNullException.ThrowIfNull(time);
        if (allowedFuture < TimeSpan.Zero || allowedFuture > TimeSpan.FromDays(1))
        {
            throw new ArgumentOutOfRangeException(nameof(allowedFuture), allowedFuture, "Allowed: 0 to 1 day.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(earliest);
        _types = types;
        _earliest = earliest;
        _time = time;
        _allowedFuture = (long)allowedFuture.TotalMilliseconds;
        _startTime = time.GetUtcNow().ToUnixTimeMilliseconds();
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>Validates an event and finds its weight.</summary>
    /// <param name="candidate">The decoded event.</param>
    /// <param name="weight">Its weight, 0 and up; set only when the event is valid.</param>
    /// <returns><see cref="DeadLetterReason.None"/>, or the first rule that it violates.</returns>
    public DeadLetterReason Check(in InteractionEvent candidate, out float weight)
    {
        weight = 0f;
        DeadLetterReason reason = CheckIds(candidate);
        if (reason == DeadLetterReason.None)
        {
            reason = CheckNumbers(candidate);
        }

        return reason == DeadLetterReason.None ? _types.Find(candidate.Type, out weight) : reason;
    }

    /// <summary>Says which rule an event breaks: the field, its value shortened, what is allowed.</summary>
    /// <param name="candidate">The decoded event.</param>
    /// <param name="reason">What <see cref="Check"/> gave for it.</param>
    public string Explain(in InteractionEvent candidate, DeadLetterReason reason) =>
        reason switch
        {
            DeadLetterReason.NoUser => "the user id is missing or empty",
            DeadLetterReason.NoItem => "the item id is missing or empty",
            DeadLetterReason.NoTime => "the event time is missing or 0; allowed: Unix milliseconds",
            DeadLetterReason.IdTooLong => ExplainText(
                candidate,
                static text => text.Length > InteractionEvent.MaxIdBytes,
                $"at most {InteractionEvent.MaxIdBytes} bytes"
            ),
            DeadLetterReason.InvalidUtf8 => ExplainText(candidate, static text => !Utf8.IsValid(text), "UTF-8"),
            DeadLetterReason.TimeOutOfRange =>
                $"the event time is {TimeText(candidate.EventTime)}; allowed: Unix milliseconds from {TimeText(_earliest)} on "
                    + "(STREAMING__Events__EarliestYear)",
            DeadLetterReason.TimeInFuture => $"the event time is {TimeText(candidate.EventTime)}; allowed: Unix milliseconds up to "
                + $"{TimeSpan.FromMilliseconds(_allowedFuture)} ahead of the clock (STREAMING__Events__AllowedFuture)",
            DeadLetterReason.InvalidNumber => candidate.DwellTime < 0
                ? string.Create(CultureInfo.InvariantCulture, $"the dwell time is {candidate.DwellTime}; allowed: milliseconds, 0 and up")
                : string.Create(CultureInfo.InvariantCulture, $"the value is {candidate.Value}; allowed: a finite number"),
            DeadLetterReason.NoType or DeadLetterReason.UnknownType =>
                $"the event type is {(candidate.Type.IsEmpty ? "missing" : ShortText.Of(candidate.Type))}; allowed: {_types.Names} "
                    + "(STREAMING__Events__Weights, because of STREAMING__Events__Strict)",
            _ => reason.ToString(),
        };

    private static string ExplainText(in InteractionEvent candidate, TextTest isWrong, string allowed)
    {
        (string name, string text) =
            isWrong(candidate.UserId) ? ("user id", ShortText.Of(candidate.UserId))
            : isWrong(candidate.ItemId) ? ("item id", ShortText.Of(candidate.ItemId))
            : isWrong(candidate.EventId) ? ("event id", ShortText.Of(candidate.EventId))
            : ("event type", ShortText.Of(candidate.Type));
        return $"the {name} is {text}; allowed: {allowed}";
    }

    // A number that is no date at all has no second form.
    private static string TimeText(long milliseconds) =>
        milliseconds is > -62_135_596_800_000 and < 253_402_300_800_000
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{milliseconds} ({DateTimeOffset.FromUnixTimeMilliseconds(milliseconds):yyyy-MM-dd'T'HH:mm:ss'Z'})"
            )
            : milliseconds.ToString(CultureInfo.InvariantCulture);

    private delegate bool TextTest(ReadOnlySpan<byte> text);

    private static DeadLetterReason CheckIds(in InteractionEvent candidate)
    {
        if (candidate.UserId.IsEmpty)
        {
            return DeadLetterReason.NoUser;
        }

        if (candidate.ItemId.IsEmpty)
        {
            return DeadLetterReason.NoItem;
        }

        if (
            candidate.UserId.Length > InteractionEvent.MaxIdBytes
            || candidate.ItemId.Length > InteractionEvent.MaxIdBytes
            || candidate.EventId.Length > InteractionEvent.MaxIdBytes
            || candidate.Type.Length > InteractionEvent.MaxIdBytes
        )
        {
            return DeadLetterReason.IdTooLong;
        }

        // Ids become Redis keys and display text, where invalid UTF-8 would map to different items.
        return
            Utf8.IsValid(candidate.UserId)
            && Utf8.IsValid(candidate.ItemId)
            && Utf8.IsValid(candidate.EventId)
            && Utf8.IsValid(candidate.Type)
            ? DeadLetterReason.None
            : DeadLetterReason.InvalidUtf8;
    }

    /// <summary>Compares with the later of the wall clock and the start time plus elapsed time: setting the wall clock back must not
    /// reject valid events.</summary>
    private bool IsInFuture(long eventTime) =>
        eventTime > _time.GetUtcNow().ToUnixTimeMilliseconds() + _allowedFuture
        && eventTime > _startTime + (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds + _allowedFuture;

    private DeadLetterReason CheckNumbers(in InteractionEvent candidate)
    {
        if (candidate.EventTime <= 0 || candidate.EventTime < _earliest)
        {
            return candidate.EventTime == 0 ? DeadLetterReason.NoTime : DeadLetterReason.TimeOutOfRange;
        }

        if (IsInFuture(candidate.EventTime))
        {
            return DeadLetterReason.TimeInFuture;
        }

        bool valueIsBad = candidate.Value is double value && !double.IsFinite(value);
        return valueIsBad || candidate.DwellTime < 0 ? DeadLetterReason.InvalidNumber : DeadLetterReason.None;
    }
}
