using System.Text;

namespace Streaming.Formats.Mapping;

/// <summary>Where the value of a role is found: a path into the record, a constant, or something of the record itself.</summary>
public sealed class FieldPath
{
    private readonly string _written;

    internal FieldPath(string written, FieldSource source, string text, PathStep[] steps)
    {
        _written = written;
        Source = source;
        Text = text;
        Utf8Text = Encoding.UTF8.GetBytes(text);
        Steps = steps;
        ListStep = Array.FindIndex(steps, static step => step.IsList);
    }

    /// <summary>Gets what it leads into.</summary>
    public FieldSource Source { get; }

    /// <summary>Gets a constant's text, or a header's name.</summary>
    public string Text { get; }

    /// <summary>Gets the names on the way; empty where it is no path into the record.</summary>
    public IReadOnlyList<PathStep> Steps { get; }

    /// <summary>Gets the names joined by dots, as a flat file has them for a column.</summary>
    public string Column => string.Join('.', Steps.Select(static step => step.Name));

    /// <summary>Gets the place of the step that is a list, or −1.</summary>
    public int ListStep { get; }

    /// <summary>Gets the constant as the record's text would be.</summary>
    internal byte[] Utf8Text { get; }

    /// <summary>The path as it was written.</summary>
    public override string ToString() => _written;
}
