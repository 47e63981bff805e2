using System.Globalization;
using System.Text;

namespace Streaming.Learning.Text;

/// <summary>
/// Removes accents, as the tokenizers of uncased BERT models do: canonical decomposition (NFD) without nonspacing marks. The runtime's
/// own normalization changes nothing without ICU, and such a tokenizer then takes every word with an accent as unknown.
/// </summary>
public static class Accents
{
    /// <summary>Removes accents.</summary>
    /// <param name="text">Any text; a lone surrogate becomes the replacement character.</param>
    public static string Remove(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var plain = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Add(rune.Value, plain);
        }

        return plain.ToString();
    }

    private static void Add(int point, StringBuilder plain)
    {
        if (UnicodeData.Instance.TryDecompose(point, out int first, out int second))
        {
            Add(first, plain);
            Add(second, plain);
        }
        else if (CharUnicodeInfo.GetUnicodeCategory(point) != UnicodeCategory.NonSpacingMark)
        {
            plain.Append(new Rune(point));
        }
    }
}
