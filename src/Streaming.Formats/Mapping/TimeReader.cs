using System.Globalization;
using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>
/// Parses times: ISO-8601, a number since 1970 in a given or inferred unit, or a given format. Ambiguous times (01/03/2026, 20260301)
/// are rejected, because a wrong guess would go unnoticed.
/// </summary>
public sealed class TimeReader
{
    private const double Earliest = 631_152_000_000; // 1990
    private const double Latest = 4_102_444_800_000; // 2100
    private static readonly double[] PerMillisecond = [1e-3, 1, 1e3, 1e6];

    private readonly TimeUnit _unit;
    private readonly string? _format;
    private readonly TimeZoneInfo _zone;

    /// <summary>Creates a reader.</summary>
    /// <param name="unit">The unit of numbers.</param>
    /// <param name="format">.NET custom format of textual times, such as <c>dd.MM.yyyy HH:mm:ss</c>; null: ISO-8601.</param>
    /// <param name="zone">The time zone of times without one; null: UTC.</param>
    public TimeReader(TimeUnit unit = TimeUnit.Auto, string? format = null, TimeZoneInfo? zone = null)
    {
        _unit = unit;
        _format = format;
        _zone = zone ?? TimeZoneInfo.Utc;
    }

    /// <summary>Gets a description of what is allowed, for messages.</summary>
    public string Allowed =>
        _format is not null
            ? $"the format {_format}"
            : "ISO-8601, or a number of s, ms, us or ns since 1970 between 1990 and 2100"
                + (_unit == TimeUnit.Auto ? string.Empty : $" (here {_unit.ToString().ToLowerInvariant()})")
                + "; otherwise set --time-unit or --time-format";

    /// <summary>Finds the time zone of a name (Europe/Berlin) or an offset (+02:00).</summary>
    /// <exception cref="FormatException">The time zone does not exist.</exception>
    public static TimeZoneInfo FindZone(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (TryReadZone(Encoding.UTF8.GetBytes(name), out int minutes))
        {
            return TimeZoneInfo.CreateCustomTimeZone(name, TimeSpan.FromMinutes(minutes), name, name);
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone)
            ? zone
            : throw new FormatException(
                $"'{name}' is not a time zone; allowed: a name such as Europe/Berlin, or an offset such as +02:00."
            );
    }

    /// <summary>Parses a time.</summary>
    /// <param name="value">The value.</param>
    /// <param name="milliseconds">Unix milliseconds.</param>
    /// <returns><see cref="DeadLetterReason.NoTime"/>, <see cref="DeadLetterReason.TimeOutOfRange"/> or
    /// <see cref="DeadLetterReason.Malformed"/> if it is not a time.</returns>
    public DeadLetterReason Read(RecordValue value, out long milliseconds)
    {
        milliseconds = value.Milliseconds;
        switch (value.Kind)
        {
            case ValueKind.Missing or ValueKind.Null:
                return DeadLetterReason.NoTime;
            case ValueKind.Time:
                return InRange(milliseconds);
            case ValueKind.LocalTime:
                return FromLocal(DateTime.UnixEpoch.AddMilliseconds(milliseconds), out milliseconds);
            case ValueKind.Number or ValueKind.Text:
                return ReadText(value.Text.Trim((byte)' '), out milliseconds);
            default:
                return DeadLetterReason.Malformed;
        }
    }

    /// <summary>Describes what a rejected text would have meant.</summary>
    public string Explain(ReadOnlySpan<byte> text)
    {
        string meaning =
            _format is null && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                ? ", " + Meaning(number)
                : string.Empty;
        return $"is not a time{meaning}; allowed: {Allowed}";
    }

    // The largest unit in which the number is a representable date.
    private string Meaning(double number)
    {
        for (TimeUnit unit = _unit == TimeUnit.Auto ? TimeUnit.S : _unit; unit <= TimeUnit.Ns; unit++)
        {
            double milliseconds = number / PerMillisecond[(int)unit - 1];
            if (milliseconds is > -6.2e13 and < 2.5e14)
            {
                return $"as {unit.ToString().ToLowerInvariant()} it would be "
                    + $"{DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
            }
        }

        return "and no number of ns since 1970";
    }

    private static DeadLetterReason InRange(double milliseconds) =>
        milliseconds is >= Earliest and < Latest ? DeadLetterReason.None : DeadLetterReason.TimeOutOfRange;

    private DeadLetterReason ReadText(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        if (text.IsEmpty)
        {
            return DeadLetterReason.NoTime;
        }

        if (_format is not null)
        {
            return ReadFormat(text, out milliseconds);
        }

        // Most times are whole numbers; a double represents them exactly up to the year 2255 in microseconds.
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? FromNumber(number, out milliseconds)
            : ReadIso(text, out milliseconds);
    }

    private DeadLetterReason FromNumber(double number, out long milliseconds)
    {
        milliseconds = 0;
        if (_unit != TimeUnit.Auto)
        {
            // The unit is explicit, so times around 1970 are valid too.
            double given = number / PerMillisecond[(int)_unit - 1];
            milliseconds = given is > 0 and < Latest ? (long)Round(given) : 0;
            return milliseconds > 0 ? DeadLetterReason.None : DeadLetterReason.TimeOutOfRange;
        }

        foreach (double per in PerMillisecond)
        {
            double guess = number / per;
            if (guess is >= Earliest and < Latest)
            {
                milliseconds = (long)Round(guess);
                return DeadLetterReason.None;
            }
        }

        return DeadLetterReason.TimeOutOfRange;
    }

    // Decimal seconds are not exact in binary (…645 ms becomes …644.9999); finer units are truncated, as clocks do.
    private static double Round(double milliseconds) => Math.Floor(milliseconds + 0.001);

    private DeadLetterReason ReadFormat(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        string chars = Encoding.UTF8.GetString(text);
        bool hasZone = _format!.Contains('z', StringComparison.Ordinal) || _format.Contains('K', StringComparison.Ordinal);
        if (hasZone)
        {
            bool isTime = DateTimeOffset.TryParseExact(
                chars,
                _format,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out DateTimeOffset time
            );
            milliseconds = time.ToUnixTimeMilliseconds();
            return isTime ? InRange(milliseconds) : DeadLetterReason.Malformed;
        }

        return DateTime.TryParseExact(chars, _format, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local)
            ? FromLocal(local, out milliseconds)
            : DeadLetterReason.Malformed;
    }

    // Local times that a daylight saving change repeats or skips are read in standard time.
    private DeadLetterReason FromLocal(DateTime local, out long milliseconds)
    {
        milliseconds = (long)
            (local - DateTime.UnixEpoch - _zone.GetUtcOffset(DateTime.SpecifyKind(local, DateTimeKind.Unspecified))).TotalMilliseconds;
        return InRange(milliseconds);
    }

    /// <summary>yyyy-MM-dd, then optionally T or a space and HH:mm, :ss, a fraction, and a zone: Z, UTC, +02, +0200 or +02:00.</summary>
    private DeadLetterReason ReadIso(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        if (
            !TryDigits(ref text, 4, out int year)
            || !TrySeparator(ref text, "-/"u8)
            || !TryDigits(ref text, 2, out int month)
            || !TrySeparator(ref text, "-/"u8)
            || !TryDigits(ref text, 2, out int day)
            || year == 0
            || month is 0 or > 12
            || day == 0
            || day > DateTime.DaysInMonth(year, month)
        )
        {
            return DeadLetterReason.Malformed;
        }

        int hour = 0;
        int minute = 0;
        int second = 0;
        int fraction = 0;
        if (!text.IsEmpty && (!TrySeparator(ref text, "T t"u8) || !TryTime(ref text, out hour, out minute, out second, out fraction)))
        {
            return DeadLetterReason.Malformed;
        }

        DateTime local = new DateTime(year, month, day, hour, minute, Math.Min(second, 59)).AddMilliseconds(fraction);
        text = text.TrimStart((byte)' ');
        if (text.IsEmpty)
        {
            return FromLocal(local, out milliseconds);
        }

        if (!TryReadZone(WithoutZoneName(text), out int minutes))
        {
            return DeadLetterReason.Malformed;
        }

        milliseconds = (long)(local - DateTime.UnixEpoch).TotalMilliseconds - (minutes * 60_000L);
        return InRange(milliseconds);
    }

    // RFC 9557, as Java's ZonedDateTime writes it: +02:00[Europe/Berlin]. The offset decides; a name alone does not say which of two
    // hours is meant.
    private static ReadOnlySpan<byte> WithoutZoneName(ReadOnlySpan<byte> zone) =>
        zone.IndexOf((byte)'[') is > 0 and var name && zone[^1] == ']' ? zone[..name] : zone;

    private static bool TryTime(ref ReadOnlySpan<byte> text, out int hour, out int minute, out int second, out int fraction)
    {
        minute = second = fraction = 0;
        if (!TryDigits(ref text, 2, out hour) || !TrySeparator(ref text, ":"u8) || !TryDigits(ref text, 2, out minute))
        {
            return false;
        }

        if (TrySeparator(ref text, ":"u8))
        {
            // A leap second counts as the previous second.
            if (!TryDigits(ref text, 2, out second) || second > 60)
            {
                return false;
            }

            if (TrySeparator(ref text, ".,"u8))
            {
                int digits = 0;
                for (; !text.IsEmpty && text[0] is >= (byte)'0' and <= (byte)'9'; digits++, text = text[1..])
                {
                    fraction = digits < 3 ? (fraction * 10) + text[0] - '0' : fraction;
                }

                for (int i = digits; i < 3; i++)
                {
                    fraction *= 10;
                }

                return digits > 0 && hour < 24 && minute < 60;
            }
        }

        return hour < 24 && minute < 60;
    }

    private static bool TryReadZone(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.SequenceEqual("Z"u8) || text.SequenceEqual("z"u8) || text.SequenceEqual("UTC"u8) || text.SequenceEqual("GMT"u8))
        {
            return true;
        }

        bool isWest = !text.IsEmpty && text[0] == '-';
        if (!TrySeparator(ref text, "+-"u8) || !TryDigits(ref text, 2, out int hours))
        {
            return false;
        }

        TrySeparator(ref text, ":"u8);
        int rest = 0;
        bool isZone = (text.IsEmpty || TryDigits(ref text, 2, out rest)) && text.IsEmpty && hours <= 14 && rest < 60;
        minutes = (isWest ? -1 : 1) * ((hours * 60) + rest);
        return isZone;
    }

    private static bool TrySeparator(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> allowed)
    {
        if (text.IsEmpty || !allowed.Contains(text[0]))
        {
            return false;
        }

        text = text[1..];
        return true;
    }

    private static bool TryDigits(ref ReadOnlySpan<byte> text, int count, out int number)
    {
        number = 0;
        if (text.Length < count)
        {
            return false;
        }

        foreach (byte digit in text[..count])
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            number = (number * 10) + digit - '0';
        }

        text = text[count..];
        return true;
    }
}
