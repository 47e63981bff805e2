using Streaming.Formats.Mapping;

namespace Streaming.Formats.Files;

/// <summary>How event files are interpreted.</summary>
public sealed record EventFileOptions
{
    /// <summary>Gets the mapping; null: by the names in the file.</summary>
    public FieldMap? Columns { get; init; }

    /// <summary>Gets how times are read.</summary>
    public TimeReader Times { get; init; } = new();

    /// <summary>Gets the separator of delimited text; null: detected from the first lines.</summary>
    public string? Separator { get; init; }

    /// <summary>Gets the quote of delimited text, one character or "none"; null: double quotes, or none in a tab-separated file
    /// without header.</summary>
    public string? Quote { get; init; }
}
