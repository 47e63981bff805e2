using System.Globalization;

namespace Streaming.Serving.Filters;

/// <summary>A condition on an attribute of items: that it has one of some values, or lies within a range. An item without a value does
/// not meet it.</summary>
/// <example>
/// <code>
/// ItemCondition.Parse("category:shoes|boots");   // one of these
/// ItemCondition.Parse("price:10..50");           // both included; 10.. and ..50 are open
/// ItemCondition.Parse("available:true");
/// </code>
/// </example>
public sealed record ItemCondition
{
    /// <summary>What the text of a condition may be, for an error message.</summary>
    public const string Allowed = "field:value, field:value|value or field:from..to";

    /// <summary>The most values of a condition.</summary>
    public const int MaxValues = 1000;

    private const string RangeMark = "..";

    /// <summary>Gets the attribute.</summary>
    public required string Field { get; init; }

    /// <summary>Gets the values, one of which the item must have; of a list such as tags at least one.</summary>
    public IReadOnlyList<string> In { get; init; } = [];

    /// <summary>Gets the least number of a range; null: none.</summary>
    public double? From { get; init; }

    /// <summary>Gets the greatest number of a range; null: none.</summary>
    public double? To { get; init; }

    /// <summary>Gets a value indicating whether it is a range.</summary>
    public bool IsRange => From is not null || To is not null;

    /// <summary>Reads a condition in the form of a query string. Values that contain <c>|</c> are given by <see cref="In"/>.</summary>
    /// <exception cref="ItemFilterException">The text is of no such form.</exception>
    public static ItemCondition Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || colon == text.Length - 1)
        {
            throw new ItemFilterException($"\"{text}\" is not a condition; allowed: {Allowed}");
        }

        string field = text[..colon],
            value = text[(colon + 1)..];
        return TryParseRange(value, out double? from, out double? to)
            ? new ItemCondition
            {
                Field = field,
                From = from,
                To = to,
            }
            : new ItemCondition { Field = field, In = value.Split('|') };
    }

    /// <summary>The condition in the form that <see cref="Parse"/> reads.</summary>
    public override string ToString() =>
        IsRange ? string.Create(CultureInfo.InvariantCulture, $"{Field}:{From}{RangeMark}{To}") : $"{Field}:{string.Join('|', In)}";

    private static bool TryParseRange(string value, out double? from, out double? to)
    {
        (from, to) = (null, null);
        int mark = value.IndexOf(RangeMark, StringComparison.Ordinal);
        return mark >= 0
            && value.Length > RangeMark.Length
            && TryParseBound(value[..mark], out from)
            && TryParseBound(value[(mark + RangeMark.Length)..], out to);
    }

    private static bool TryParseBound(string text, out double? bound)
    {
        bool isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number);
        bound = isNumber ? number : null;
        return isNumber ? double.IsFinite(number) : text.Length == 0;
    }
}
