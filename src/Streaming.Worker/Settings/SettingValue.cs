using System.Collections;
using System.Globalization;
using Streaming.Core.Items;
using Streaming.Core.Options;
using Streaming.Models.Options;

namespace Streaming.Worker.Settings;

/// <summary>Text to value and back for the types that settings have.</summary>
/// <remarks>
/// Lists are comma-separated (16,32,64,128), tables are name=value (view=1,purchase=3), feature groups name:length
/// (text:384) or name:length=field+field[], attributes of items name, name[], name:number or name:boolean, times are a number and a unit
/// (500ms, 1s, 5m, 2h, 7d) or .NET's form (00:00:01.5).
/// </remarks>
public static class SettingValue
{
    /// <summary>Whether a property of this type is a setting.</summary>
    public static bool Supports(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsEnum
            || type == typeof(string)
            || type == typeof(bool)
            || type == typeof(TimeSpan)
            || type == typeof(Uri)
            || type == typeof(FeatureGroup)
            || type == typeof(AttributeDefinition)
            || IsNumber(type)
            || (ListElement(type) is { } element && Supports(element))
            || (TableValue(type) is { } value && Supports(value));
    }

    /// <summary>What is allowed, for an error message.</summary>
    public static string Allowed(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type))
            : type == typeof(bool) ? "true or false"
            : type == typeof(TimeSpan) ? "a time such as 500ms, 1s, 5m, 2h, 7d or 00:00:01.5"
            : type == typeof(Uri) ? "an absolute address such as http://host:4317"
            : type == typeof(FeatureGroup) ? FeatureGroup.Allowed
            : type == typeof(AttributeDefinition) ? AttributeDefinition.Allowed
            : type == typeof(float) || type == typeof(double) ? "a finite number such as 0.001"
            : type == typeof(int) || type == typeof(long)
                ? $"a whole number of at most {(type == typeof(int) ? int.MaxValue : long.MaxValue)}"
            : IsNumber(type) ? "a whole number, 0 and up"
            : TableValue(type) is { } value ? $"name=value pairs separated by commas, each value {Allowed(value)}"
            : ListElement(type) is { } element ? $"a list separated by commas, each {Allowed(element)}"
            : "text without control characters";
    }

    /// <summary>Reads a value.</summary>
    /// <exception cref="FormatException">The text is no such value.</exception>
    public static object? Parse(string text, Type type)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return text.Length == 0 ? null : Parse(text, inner);
        }

        // Values that come from files, as container platforms mount and pass them, end with a line break.
        text = type == typeof(string) ? text.TrimEnd('\r', '\n') : text.Trim();
        return type == typeof(string) ? (text.Any(char.IsControl) ? throw new FormatException() : text)
            : type.IsEnum ? ParseEnum(text, type)
            : type == typeof(bool) ? ParseBool(text)
            : type == typeof(TimeSpan) ? ParseTime(text)
            : type == typeof(Uri) ? (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) ? uri : throw new FormatException())
            : type == typeof(FeatureGroup) ? (FeatureGroup.TryParse(text, out FeatureGroup? group) ? group : throw new FormatException())
            : type == typeof(AttributeDefinition)
                ? (AttributeDefinition.TryParse(text, out AttributeDefinition? item) ? item : throw new FormatException())
            : IsNumber(type) ? ParseNumber(text, type)
            : TableValue(type) is { } value ? ParseTable(text, value)
            : ListElement(type) is { } element ? ParseList(text, element)
            : throw new NotSupportedException($"No setting can be of type {type}.");
    }

    /// <summary>Writes a value as <see cref="Parse"/> reads it.</summary>
    public static string Format(object? value) => OptionText.Format(value);

    private static object ParseEnum(string text, Type type)
    {
        // Names only: Enum.Parse would take any number, declared or not.
        foreach (string name in Enum.GetNames(type))
        {
            if (name.Equals(text.Replace("-", string.Empty, StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
            {
                return Enum.Parse(type, name);
            }
        }

        throw new FormatException();
    }

    private static bool ParseBool(string text) =>
        text.ToUpperInvariant() switch
        {
            "TRUE" or "1" or "YES" or "ON" => true,
            "FALSE" or "0" or "NO" or "OFF" => false,
            _ => throw new FormatException(),
        };

    private static TimeSpan ParseTime(string text)
    {
        foreach ((string unit, double seconds) in OptionText.Units)
        {
            if (
                text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(
                    text.AsSpan(0, text.Length - unit.Length),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out double number
                )
                && Math.Abs(number * seconds) < TimeSpan.MaxValue.TotalSeconds
            )
            {
                return TimeSpan.FromSeconds(number * seconds);
            }
        }

        // A number without a unit would be days to TimeSpan.Parse: nobody means that.
        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan time)
            ? time
            : throw new FormatException();
    }

    private static object ParseNumber(string text, Type type)
    {
        try
        {
            // Convert would take a comma for a separator of thousands, and 0,01 for 1.
            object number = text.Contains(',', StringComparison.Ordinal)
                ? throw new FormatException()
                : Convert.ChangeType(text, type, CultureInfo.InvariantCulture);
            return Convert.ToDouble(number, CultureInfo.InvariantCulture) is var value && double.IsFinite(value)
                ? number
                : throw new FormatException();
        }
        catch (OverflowException exception)
        {
            throw new FormatException(exception.Message, exception);
        }
    }

    private static Array ParseList(string text, Type element)
    {
        string[] parts = text.Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries);
        var list = Array.CreateInstance(element, parts.Length);
        for (int i = 0; i < parts.Length; i++)
        {
            list.SetValue(Parse(parts[i], element), i);
        }

        return list;
    }

    private static IDictionary ParseTable(string text, Type value)
    {
        var table = (IDictionary)
            Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), value), StringComparer.Ordinal)!;
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new FormatException();
            }

            table[part[..equals].Trim()] = Parse(part[(equals + 1)..], value);
        }

        return table;
    }

    private static bool IsNumber(Type type) =>
        type == typeof(int)
        || type == typeof(long)
        || type == typeof(uint)
        || type == typeof(ulong)
        || type == typeof(ushort)
        || type == typeof(byte)
        || type == typeof(float)
        || type == typeof(double);

    private static Type? ListElement(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType
        && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(IReadOnlyList<>) || definition == typeof(IReadOnlyCollection<>))
            ? type.GetGenericArguments()[0]
        : null;

    private static Type? TableValue(Type type) =>
        type.IsGenericType
        && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(IReadOnlyDictionary<,>) || definition == typeof(IDictionary<,>) || definition == typeof(Dictionary<,>))
        && type.GetGenericArguments()[0] == typeof(string)
            ? type.GetGenericArguments()[1]
            : null;
}
