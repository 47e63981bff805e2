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

        if (candidate.UserId.Length > InteractionEvent.MaxIdBytes || candidate.ItemId.Length > InteractionEvent.MaxIdBytes
            || candidate.EventId.Length > InteractionEvent.MaxIdBytes || candidate.Type.Length > InteractionEvent.MaxIdBytes)
        {
            return DeadLetterReason.IdTooLong;
        }

        // Ids become Redis keys and display text, where invalid UTF-8 would map to different items.
        return Utf8.IsValid(candidate.UserId) && Utf8.IsValid(candidate.ItemId) && Utf8.IsValid(candidate.EventId) && Utf8.IsValid(candidate.Type)
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
