using System.Globalization;
using System.Text;
using Streaming.Formats.Mapping;

namespace Streaming.Formats.Delimited;

/// <summary>Detects the dialect of delimited text from its first lines and the expected columns.</summary>
internal static class DialectDetector
{
    private const int LinesLookedAt = 50;

    // Semicolon before comma: files separated by semicolons use decimal commas.
    private static readonly string[] Separators = ["\t", "::", "||", ";", "|", "\x01", ",", " "];

    /// <summary>Detects the dialect.</summary>
    /// <param name="head">The first bytes.</param>
    /// <param name="fields">The mapped columns; null: there is no mapping.</param>
    /// <param name="separator">The separator, if known.</param>
    /// <param name="quote">The quote, if known: one character, or "none".</param>
    public static Dialect Detect(ReadOnlySpan<byte> head, IReadOnlyList<FieldPath>? fields, string? separator, string? quote)
    {
        List<string> lines = Lines(head);
        int skip = 0;
        if (lines is [['s', 'e', 'p', '=', .. var hint], ..] && hint.Trim() is { Length: 1 })
        {
            // Excel's own hint.
            separator ??= hint.Trim();
            skip = 1;
            lines.RemoveAt(0);
        }

        separator ??= lines.Count == 0 ? "," : Choose(lines, fields);
        bool isPlain = FieldPath.ArePositions(fields) && separator is "\t" or { Length: > 1 };

        // Tables without a header come from databases and research data sets, where quotes are ordinary characters.
        char? enclosing =
            quote is null ? (isPlain ? null : '"')
            : quote.Length == 1 ? quote[0]
            : null;
        return new Dialect(separator, enclosing, skip);
    }

    private static string Choose(List<string> lines, IReadOnlyList<FieldPath>? fields)
    {
        if (FieldPath.ArePositions(fields))
        {
            int needed = 1 + fields!.Max(static path => int.Parse(path.Steps[0].Name, CultureInfo.InvariantCulture));
            return Separators.FirstOrDefault(separator => IsConstant(lines, separator, needed))
                ?? Separators.MaxBy(separator => Fields(lines[0], separator).Length)!;
        }

        string[] wanted = fields is null ? [] : [.. fields.Select(static path => path.Column)];
        return Separators.MaxBy(separator => Score(Fields(lines[0], separator), wanted))!;
    }

    private static bool IsConstant(List<string> lines, string separator, int needed)
    {
        int count = Fields(lines[0], separator).Length;
        return count >= needed && lines.TrueForAll(line => Fields(line, separator).Length == count);
    }

    // The number of expected names counts first, then the number of columns.
    private static int Score(string[] header, string[] wanted)
    {
        int found =
            wanted.Length > 0
                ? wanted.Count(column => DelimitedHeader.Find(header, column) >= 0)
                : header.Count(static name => KnownNames.TryFind(Encoding.UTF8.GetBytes(name), out _, out _));
        return (found * 1000) + Math.Min(header.Length, 999);
    }

    private static string[] Fields(string line, string separator) => DelimitedHeader.Clean(line.Split(separator));

    private static List<string> Lines(ReadOnlySpan<byte> head)
    {
        using var reader = new StreamReader(new MemoryStream(head.ToArray()), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        var lines = new List<string>();
        while (lines.Count < LinesLookedAt && reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
            {
                lines.Add(line);
            }
        }

        // The last one may be truncated.
        if (lines.Count is > 1 and < LinesLookedAt)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return lines;
    }
}
