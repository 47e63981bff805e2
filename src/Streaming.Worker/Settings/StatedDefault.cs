using System.Globalization;
using System.Text.RegularExpressions;
using Streaming.Core.Options;

namespace Streaming.Worker.Settings;

/// <summary>The default that a doc comment states ("Default 128; 1 … 65,536."), beside the initialiser that sets it.</summary>
internal static partial class StatedDefault
{
    /// <summary>What a summary states, as written; null: nothing, or a default that is computed ("Default: the processors").</summary>
    public static string? Of(string summary) => Sentence().Match(summary) is { Success: true } match ? match.Groups["value"].Value : null;

    /// <summary>Whether a stated default is a value.</summary>
    /// <param name="stated">As in prose: 1,000,000, 7 days, none, 16, 32, 64.</param>
    /// <param name="value">As a setting is written: 1000000, 7d, nothing, 16,32,64.</param>
    public static bool Agrees(string stated, string value)
    {
        string plain = Thousands()
            .Replace(stated.Trim('`', '"').Replace('−', '-'), string.Empty)
            .Replace(", ", ",", StringComparison.Ordinal);
        if (plain is "none" or "empty")
        {
            return value.Length == 0;
        }

        return plain.Equals(value, StringComparison.OrdinalIgnoreCase)
            || (
                double.TryParse(plain, CultureInfo.InvariantCulture, out double left)
                && double.TryParse(value, CultureInfo.InvariantCulture, out double right)
                && Math.Abs(left - right) <= 1e-6 * Math.Abs(left)
            )
            || (Seconds(plain) is { } seconds && seconds == Seconds(value));
    }

    /// <summary>A summary without a default that only repeats the value.</summary>
    public static string Remove(string summary, string value)
    {
        Match match = Sentence().Match(summary);
        if (!match.Success || !Agrees(match.Groups["value"].Value, value) || match.Groups["end"].Value is not ("." or ";"))
        {
            return summary;
        }

        string rest = summary[(match.Index + match.Length)..].TrimStart();
        string kept = rest.Length > 0 ? char.ToUpperInvariant(rest[0]) + rest[1..] : string.Empty;
        return (summary[..match.Index].TrimEnd() + " " + kept).Trim();
    }

    private static double? Seconds(string text)
    {
        if (Time().Match(text) is not { Success: true } match)
        {
            return null;
        }

        string unit = match.Groups[2].Value switch
        {
            "day" or "days" => "d",
            "hour" or "hours" => "h",
            "min" or "minute" or "minutes" => "m",
            string other => other,
        };
        return OptionText
            .Units.Where(one => one.Name == unit)
            .Select(one => (double?)(one.Seconds * double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)))
            .FirstOrDefault();
    }

    [GeneratedRegex(@"\bDefault (?<value>.+?)(?<end>[.;:](?=\s|$)| \(|, (?!\d))")]
    private static partial Regex Sentence();

    [GeneratedRegex(@"(?<=\d),(?=\d{3}\b)")]
    private static partial Regex Thousands();

    [GeneratedRegex(@"^([\d.]+) ?([a-z]+)$")]
    private static partial Regex Time();
}
