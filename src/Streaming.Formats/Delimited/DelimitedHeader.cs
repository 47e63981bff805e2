using System.Text;
using Streaming.Formats.Mapping;

namespace Streaming.Formats.Delimited;

/// <summary>The column names of a file.</summary>
internal static class DelimitedHeader
{
    private static readonly string[] RecBoleTypes = [":token", ":float", ":token_seq", ":float_seq"];

    /// <summary>Names without quotes, surrounding spaces and RecBole's types (user_id:token).</summary>
    public static string[] Clean(IEnumerable<string> names) => [.. names.Select(static name => Clean(name.Trim(' ', '"', '\r', '\uFEFF')))];

    /// <summary>The index of a column by its name, exact or else normalised; −1: none.</summary>
    public static int Find(string[] names, string column)
    {
        int exact = Array.IndexOf(names, column);
        return exact >= 0 ? exact : Array.FindIndex(names, name => IsSame(name, column));
    }

    private static string Clean(string name)
    {
        string? type = Array.Find(RecBoleTypes, type => name.EndsWith(type, StringComparison.Ordinal));
        return type is null ? name : name[..^type.Length];
    }

    private static bool IsSame(string name, string column)
    {
        Span<byte> normal = stackalloc byte[FieldName.MaxLength];
        int length = FieldName.Normalise(Encoding.UTF8.GetBytes(column), normal);
        return length > 0 && FieldName.Matches(Encoding.UTF8.GetBytes(name), normal[..length]);
    }
}
