using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Streaming.Models.Options;

/// <summary>A named group of dense item features of a declared length: values of the item records, or hashed from their text.</summary>
/// <param name="Name">Name in the item records.</param>
/// <param name="Length">Number of values, 1 and up.</param>
public sealed record FeatureGroup(string Name, int Length)
{
    /// <summary>The version of how text is hashed: normalization, tokens, hash, projection. Vectors of two versions must not mix.</summary>
    public const int CurrentScheme = 1;

    /// <summary>What the text of a group may be, for an error message.</summary>
    public const string Allowed =
        "name:length for values of the item records, or name:length=field+field+… for hashed text, field[] for whole values such as "
        + "categories";

    /// <summary>Gets the text fields that are hashed into the group. Default none: the item records have its values.</summary>
    public IReadOnlyList<TextField> Fields { get; init; } = [];

    /// <summary>Gets the version by which they are hashed; 0 without fields.</summary>
    public int Scheme { get; init; }

    /// <summary>Gets a value indicating whether the group is hashed from text.</summary>
    public bool IsHashed => Fields.Count > 0;

    /// <summary>A group that is hashed from text.</summary>
    public static FeatureGroup Hashed(string name, int length, params IReadOnlyList<TextField> fields) =>
        new(name, length) { Fields = fields, Scheme = CurrentScheme };

    /// <summary>Reads the form in which it is set.</summary>
    /// <returns>False when it is not of that form.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out FeatureGroup? group)
    {
        ArgumentNullException.ThrowIfNull(text);
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string declared = equals < 0 ? text : text[..equals];
        int colon = declared.LastIndexOf(':');
        group =
            colon > 0 && int.TryParse(declared.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
                ? new FeatureGroup(declared[..colon].Trim(), length)
                : null;
        if (group is not null && equals >= 0)
        {
            group = Hashed(
                group.Name,
                group.Length,
                [.. text[(equals + 1)..].Split('+', StringSplitOptions.TrimEntries).Select(TextField.Parse)]
            );
        }

        return group is not null;
    }

    /// <summary>The form in which it is set: <c>text:384</c>, or <c>text:256=title+brand[]</c>.</summary>
    public override string ToString()
    {
        string declared = FormattableString.Invariant($"{Name}:{Length}");
        return IsHashed ? $"{declared}={string.Join('+', Fields)}" : declared;
    }

    /// <summary>The group with everything that gives its values their meaning.</summary>
    public string Describe() => IsHashed ? FormattableString.Invariant($"{this} (text scheme {Scheme})") : ToString();

    /// <summary>Whether both have the same values of an item. A record would compare the lists by reference.</summary>
    public bool Equals(FeatureGroup? other) =>
        other is not null && Name == other.Name && Length == other.Length && Scheme == other.Scheme && Fields.SequenceEqual(other.Fields);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Length, Scheme, Fields.Count);
}
