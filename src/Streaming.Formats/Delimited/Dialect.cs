namespace Streaming.Formats.Delimited;

/// <summary>The dialect of delimited text.</summary>
/// <param name="Separator">The separator, one or more ASCII characters.</param>
/// <param name="Quote">The character that encloses fields with separators or line breaks (RFC 4180), or null: quotes have no
/// meaning.</param>
/// <param name="SkipLines">The number of lines before the first row.</param>
public sealed record Dialect(string Separator, char? Quote, int SkipLines = 0)
{
    /// <summary>Gets the dialect of RFC 4180.</summary>
    public static Dialect Csv { get; } = new(",", '"');
}
