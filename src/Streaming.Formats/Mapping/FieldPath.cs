using System.Globalization;
using System.Text;

namespace Streaming.Formats.Mapping;

/// <summary>The source of a role's value: a path into the record, a constant, or metadata of the record.</summary>
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

    /// <summary>Gets the kind of source.</summary>
    public FieldSource Source { get; }

    /// <summary>Gets what is taken where this path has no value, or null.</summary>
    public FieldPath? Or { get; init; }

    /// <summary>Gets this path and those that follow it, in their order.</summary>
    public IEnumerable<FieldPath> Alternatives
    {
        get
        {
            for (FieldPath? path = this; path is not null; path = path.Or)
            {
                yield return path;
            }
        }
    }

    /// <summary>Gets a constant's text, or a header's name.</summary>
    public string Text { get; }

    /// <summary>Gets the names of the path; empty if it is not a path into the record.</summary>
    public IReadOnlyList<PathStep> Steps { get; }

    /// <summary>Gets the names joined by dots, as a flat file names the column.</summary>
    public string Column => string.Join('.', Steps.Select(static step => step.Name));

    /// <summary>Gets the index of the step that is a list, or −1.</summary>
    public int ListStep { get; }

    /// <summary>Gets the constant in the form of a record's text.</summary>
    internal byte[] Utf8Text { get; }

    /// <summary>The path for flat rows: its names joined by dots are one column's name.</summary>
    internal FieldPath Flat() =>
        Source == FieldSource.Field
            ? new FieldPath(_written, FieldSource.Field, string.Empty, [new PathStep(Column, false)]) { Or = Or?.Flat() }
            : this;

    /// <summary>Whether columns are given by position: the file has no header.</summary>
    internal static bool ArePositions(IReadOnlyCollection<FieldPath>? fields) =>
        fields is { Count: > 0 }
        && fields.All(static path =>
            path.Steps is [var only] && int.TryParse(only.Name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        );

    /// <summary>The path as it was written.</summary>
    public override string ToString() => _written;
}
