using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Streaming.Core.Events;

/// <summary>Shows bytes that came from outside in a message: on one line, and bounded.</summary>
public static class ShortText
{
    private const int MostText = 60;
    private const int MostLine = 500;
    private const int MostHexadecimal = 24;

    /// <summary>Quoted text where the bytes are UTF-8 without control characters, else hexadecimal; cut off where it is long.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> head = Head(bytes, MostText);
        if (IsPrintable(head))
        {
            return $"\"{Encoding.UTF8.GetString(head)}\"{Rest(bytes.Length, head.Length)}";
        }

        head = bytes[..Math.Min(bytes.Length, MostHexadecimal)];
        return $"0x{Convert.ToHexString(head)}{Rest(bytes.Length, head.Length)}";
    }

    /// <summary>A text on one line, without control characters, and bounded.</summary>
    public static string Line(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var line = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (line.Length >= MostLine)
            {
                return line.Append("...").ToString();
            }

            line.Append(IsPrintable(rune) ? rune.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"));
        }

        return line.ToString();
    }

    /// <summary>Whether a character shows and moves nothing else on a screen.</summary>
    public static bool IsPrintable(Rune rune) =>
        !Rune.IsControl(rune)
        && Rune.GetUnicodeCategory(rune)
            is not (UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Format);

    // A character is not cut in two: up to three of its bytes may lie before the cut.
    private static ReadOnlySpan<byte> Head(ReadOnlySpan<byte> bytes, int most)
    {
        ReadOnlySpan<byte> head = bytes[..Math.Min(bytes.Length, most)];
        for (int cut = 0; head.Length < bytes.Length && cut <= 3; cut++)
        {
            if (Utf8.IsValid(head[..^cut]))
            {
                return head[..^cut];
            }
        }

        return head;
    }

    private static bool IsPrintable(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
        {
            return false;
        }

        foreach (Rune rune in Encoding.UTF8.GetString(utf8).EnumerateRunes())
        {
            if (!IsPrintable(rune))
            {
                return false;
            }
        }

        return true;
    }

    private static string Rest(int length, int shown) =>
        length == shown ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"... ({length} bytes)");
}
