using System.Collections;
using System.Globalization;

namespace Streaming.Core.Options;

/// <summary>Values of options as text, in the form in which settings are written.</summary>
public static class OptionText
{
    /// <summary>The units of times, the smallest first.</summary>
    public static IReadOnlyList<(string Name, double Seconds)> Units { get; } =
    [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];

    /// <summary>Writes a value: lists with commas, tables as name=value, times as a number and a unit, culture-invariant.</summary>
    public static string Format(object? value) =>
        value switch
        {
            null => string.Empty,
            string text => text,
            bool flag => flag ? "true" : "false",
            TimeSpan time => FormatTime(time),
            IDictionary table => string.Join(',', table.Keys.Cast<object>().Select(key => $"{key}={Format(table[key])}")),
            IEnumerable list => string.Join(',', list.Cast<object?>().Select(Format)),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? string.Empty,
        };

    /// <summary>A value within a sentence: text in quotes, nothing as "empty".</summary>
    public static string Show(object? value)
    {
        string text = Format(value);
        return text.Length == 0 ? "empty"
            : value is string ? $"'{text}'"
            : text;
    }

    private static string FormatTime(TimeSpan time)
    {
        if (time == TimeSpan.Zero)
        {
            return "0s";
        }

        foreach ((string unit, double seconds) in Units.Reverse())
        {
            double number = time.TotalSeconds / seconds;
            if (Math.Abs(number) >= 1 && Math.Abs(number - Math.Round(number)) < 1e-9)
            {
                return number.ToString("0", CultureInfo.InvariantCulture) + unit;
            }
        }

        return time.ToString("c", CultureInfo.InvariantCulture);
    }
}
