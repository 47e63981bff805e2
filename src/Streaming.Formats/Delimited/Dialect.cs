namespace Streaming.Formats.Delimited;

/// <summary>How delimited text is written.</summary>
/// <param name="Separator">What stands between two fields, one character or more, ASCII.</param>
/// <param name="Quote">What encloses a field that holds separators or line ends (RFC 4180), or null: quotes have no meaning.</param>
/// <param name="SkipLines">How many lines come before the first row.</param>
public sealed record Dialect(string Separator, char? Quote, int SkipLines = 0)
{
    /// <summary>Gets RFC 4180's.</summary>
    public static Dialect Csv { get; } = new(",", '"');
}
