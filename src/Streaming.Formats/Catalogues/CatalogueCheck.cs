using System.Text;
using System.Text.Unicode;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Inputs;

namespace Streaming.Formats.Catalogues;

/// <summary>
/// Checks what a worker that reads the topic would refuse, while file and record are still known.
/// </summary>
/// <param name="path">The file, for messages.</param>
internal sealed class CatalogueCheck(string path)
{
    private static readonly ItemLimits Limits = new();

    /// <summary>An item's id.</summary>
    public string Id(ReadOnlySpan<byte> value, string position, string field)
    {
        string? problem =
            value.IsEmpty ? "is empty"
            : value.Length > InteractionEvent.MaxIdBytes ? $"is longer than {InteractionEvent.MaxIdBytes} bytes"
            : Utf8.IsValid(value) ? null
            : "is not UTF-8";
        return problem is null ? Encoding.UTF8.GetString(value) : throw Wrong(position, field, problem);
    }

    /// <summary>A text.</summary>
    public string Text(ReadOnlySpan<byte> value, string position, string field)
    {
        if (!Utf8.IsValid(value))
        {
            throw Wrong(position, field, "is not UTF-8");
        }

        string text = Encoding.UTF8.GetString(value);
        return text.Length <= Limits.MaxTextLength
            ? text
            : throw Wrong(position, field, $"is longer than {Limits.MaxTextLength} characters");
    }

    /// <summary>The values of a feature group.</summary>
    public float[] Group(IReadOnlyList<double> values, string position, string field)
    {
        if (values.Count > Limits.MaxGroupLength)
        {
            throw Wrong(position, field, $"has {values.Count} numbers; allowed: {Limits.MaxGroupLength}");
        }

        foreach (double value in values)
        {
            if (!(Math.Abs(value) <= Limits.MaxMagnitude))
            {
                throw Wrong(position, field, FormattableString.Invariant($"has the number {value}; allowed: up to {Limits.MaxMagnitude}"));
            }
        }

        return [.. values.Select(static value => (float)value)];
    }

    /// <summary>The names and numbers of fields.</summary>
    public void Fields(IReadOnlyCollection<string> text, IReadOnlyCollection<string> groups, string position)
    {
        if (text.Count > Limits.MaxTextFields || groups.Count > Limits.MaxGroups)
        {
            throw new InputFileException(
                $"{path}, {position}: {text.Count} text fields and {groups.Count} feature groups; allowed: {Limits.MaxTextFields} and "
                    + $"{Limits.MaxGroups}"
            );
        }

        if (text.Concat(groups).FirstOrDefault(static name => name.Length is 0 or > InteractionEvent.MaxIdBytes) is { } wrong)
        {
            throw new InputFileException(
                $"{path}, {position}: a field has "
                    + (wrong.Length == 0 ? "no name" : $"a name longer than {InteractionEvent.MaxIdBytes} characters")
            );
        }
    }

    private InputFileException Wrong(string position, string field, string problem) =>
        new($"{path}, {position}, column {field}: the value {problem}");
}
