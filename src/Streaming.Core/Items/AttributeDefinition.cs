using System.Diagnostics.CodeAnalysis;

namespace Streaming.Core.Items;

/// <summary>A field of catalogue records that is published with each item, for the business rules of serving tiers.</summary>
/// <param name="Name">Name in the item records: 1 to 64 letters, digits, '_', '-' and '.'.</param>
/// <param name="Kind">What its values are.</param>
public sealed record AttributeDefinition(string Name, AttributeKind Kind)
{
    /// <summary>What the text of an attribute may be, for an error message.</summary>
    public const string Allowed =
        "name for a text, name[] for a list of texts, name:number or name:boolean; a name is 1 to 64 letters, digits, '_', '-' and '.'";

    private const int MaxNameLength = 64;
    private const string ListMark = "[]";
    private const string NumberMark = ":number";
    private const string BooleanMark = ":boolean";

    /// <summary>The form in which it is set: <c>category</c>, <c>tags[]</c>, <c>price:number</c>, <c>available:boolean</c>.</summary>
    public override string ToString() => Name + MarkOf(Kind);

    /// <summary>Reads the form in which it is set.</summary>
    /// <returns>False when it is not of that form.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out AttributeDefinition? attribute)
    {
        ArgumentNullException.ThrowIfNull(text);
        AttributeKind kind =
            text.EndsWith(ListMark, StringComparison.Ordinal) ? AttributeKind.Texts
            : text.EndsWith(NumberMark, StringComparison.Ordinal) ? AttributeKind.Number
            : text.EndsWith(BooleanMark, StringComparison.Ordinal) ? AttributeKind.Boolean
            : AttributeKind.Text;
        string name = text[..^MarkOf(kind).Length];
        attribute =
            name.Length is >= 1 and <= MaxNameLength && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
                ? new AttributeDefinition(name, kind)
                : null;
        return attribute is not null;
    }

    private static string MarkOf(AttributeKind kind) =>
        kind switch
        {
            AttributeKind.Texts => ListMark,
            AttributeKind.Number => NumberMark,
            AttributeKind.Boolean => BooleanMark,
            _ => string.Empty,
        };
}
