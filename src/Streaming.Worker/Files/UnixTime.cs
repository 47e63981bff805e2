using System.Globalization;

namespace Streaming.Worker;

/// <summary>Times as files have them.</summary>
internal static class UnixTime
{
    // As seconds this is the year 5138, as milliseconds March 1973: no file mixes the two up.
    private const double LargestSeconds = 1e11;

    /// <summary>Reads seconds or milliseconds since 1970, or a date and time (UTC unless it says otherwise), as milliseconds.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long milliseconds)
    {
        milliseconds = 0;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
        {
            if (!(number >= 0 && number < 1e15))
            {
                return false;
            }

            milliseconds = (long)(number < LargestSeconds ? number * 1000 : number);
            return true;
        }

        bool date = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time);
        milliseconds = date ? time.ToUnixTimeMilliseconds() : 0;
        return date && milliseconds >= 0;
    }
}
