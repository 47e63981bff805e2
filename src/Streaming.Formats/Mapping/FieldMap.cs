using System.Globalization;

namespace Streaming.Formats.Mapping;

/// <summary>
/// Maps fields of a record to roles: <c>user=after.user.id,item=lines[].sku,type=:purchase,time=$timestamp</c>. Topics and files use
/// the same grammar; this project's README documents it.
/// </summary>
public sealed class FieldMap
{
    private readonly FieldPath?[] _paths;

    private FieldMap(FieldPath?[] paths, string written)
    {
        _paths = paths;
        Written = written;
        FieldPath? list = All.FirstOrDefault(static path => path.ListStep >= 0);
        List = list is null ? [] : [.. list.Steps.Take(list.ListStep + 1)];
    }

    /// <summary>Gets the roles, in their order.</summary>
    public static IReadOnlyList<FieldRole> Roles { get; } = Enum.GetValues<FieldRole>();

    /// <summary>Gets the path to the list whose elements are events; empty: a record is one event.</summary>
    public IReadOnlyList<PathStep> List { get; }

    /// <summary>Gets the mapping as it was written.</summary>
    public string Written { get; }

    /// <summary>Gets a value indicating whether columns are given by position: the file has no header.</summary>
    public bool IsPositional => FieldPath.ArePositions(Fields);

    /// <summary>Gets the paths into the record.</summary>
    public IReadOnlyList<FieldPath> Fields => [.. All.Where(static path => path.Source == FieldSource.Field)];

    /// <summary>Gets a value indicating whether a value comes from a header.</summary>
    public bool HasHeaders => All.Any(static path => path.Source == FieldSource.Header);

    private IEnumerable<FieldPath> All => _paths.OfType<FieldPath>().SelectMany(static path => path.Alternatives);

    /// <summary>Gets the source of a role's value, or null.</summary>
    public FieldPath? this[FieldRole role] => _paths[(int)role];

    /// <summary>Parses a mapping.</summary>
    /// <exception cref="FieldMapException">The text is invalid: names the part and what is allowed.</exception>
    public static FieldMap Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var paths = new FieldPath?[Roles.Count];
        var reader = new FieldMapReader(text);
        while (reader.TryReadPair(out string name, out FieldPath? path))
        {
            if (!Enum.TryParse(name, ignoreCase: true, out FieldRole role) || IsNumber(name))
            {
                throw new FieldMapException(
                    $"'{name}' in '{text}' is not a field of an event; allowed: {string.Join(", ", Roles.Select(Name))}."
                );
            }

            if (paths[(int)role] is not null)
            {
                throw new FieldMapException($"'{name}' is given twice in '{text}'.");
            }

            paths[(int)role] = path;
        }

        foreach (FieldRole role in (FieldRole[])[FieldRole.User, FieldRole.Item])
        {
            if (paths[(int)role] is null)
            {
                throw new FieldMapException($"'{text}' lacks the {Name(role)}; add {Name(role)}=….");
            }
        }

        CheckLists(paths, text);
        return new FieldMap(paths, text);
    }

    /// <summary>The mapping for flat rows: a path's names joined by dots are one column's name.</summary>
    public FieldMap Flat() => new([.. _paths.Select(static path => path?.Flat())], Written);

    /// <summary>A role's name in a mapping.</summary>
    public static string Name(FieldRole role) => role.ToString().ToLowerInvariant();

    private static void CheckLists(FieldPath?[] paths, string text)
    {
        FieldPath[] lists =
        [
            .. paths.OfType<FieldPath>().SelectMany(static path => path.Alternatives).Where(static path => path.ListStep >= 0),
        ];
        if (lists.FirstOrDefault(static path => path.Steps.Count(static step => step.IsList) > 1) is { } nested)
        {
            throw new FieldMapException($"'{nested}' in '{text}' has two lists; allowed: one '[]'.");
        }

        if (
            lists
                .Select(static path => string.Join('.', path.Steps.Take(path.ListStep + 1).Select(static step => step.Name)))
                .Distinct(StringComparer.Ordinal)
                .Skip(1)
                .Any()
        )
        {
            throw new FieldMapException($"'{text}' leads into different lists; allowed: '[]' after one list's name.");
        }
    }

    private static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
