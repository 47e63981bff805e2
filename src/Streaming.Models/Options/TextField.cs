namespace Streaming.Models.Options;

/// <summary>A text field of item records that is hashed into a feature group.</summary>
/// <param name="Name">Name in the item records.</param>
/// <param name="IsCategory">Whether its values are taken whole, as those of a brand or of categories: one, a list, or several
/// separated by |. Otherwise its words are taken, and their n-grams.</param>
public sealed record TextField(string Name, bool IsCategory = false)
{
    private const string CategoryMark = "[]";

    /// <summary>The form in which it is set: <c>title</c>, <c>brand[]</c>.</summary>
    public override string ToString() => IsCategory ? Name + CategoryMark : Name;

    /// <summary>Reads the form in which it is set.</summary>
    internal static TextField Parse(string text) =>
        text.EndsWith(CategoryMark, StringComparison.Ordinal)
            ? new TextField(text[..^CategoryMark.Length], IsCategory: true)
            : new TextField(text);
}
