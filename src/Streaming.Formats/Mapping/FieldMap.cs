using System.Globalization;

namespace Streaming.Formats.Mapping;

/// <summary>
/// Which field of a record is what: <c>user=after.user.id,item=lines[].sku,type=:purchase,time=$timestamp</c>. The same
/// grammar for topics and for files; the README of this project has it in full.
/// </summary>
public sealed class FieldMap
{
    private readonly FieldPath?[] _paths;

    private FieldMap(FieldPath?[] paths, string written)
    {
        _paths = paths;
        Written = written;
        FieldPath? list = paths.FirstOrDefault(static path => path is { ListStep: >= 0 });
        List = list is null ? [] : [.. list.Steps.Take(list.ListStep + 1)];
    }

    /// <summary>Gets the roles, in their order.</summary>
    public static IReadOnlyList<FieldRole> Roles { get; } = Enum.GetValues<FieldRole>();

    /// <summary>Gets the path to the list of which each element gives an event; empty: a record is one event.</summary>
    public IReadOnlyList<PathStep> List { get; }

    /// <summary>Gets the mapping as it was written.</summary>
    public string Written { get; }

    /// <summary>Gets a value indicating whether columns are named by their positions: the file has no header.</summary>
    public bool IsPositional => Fields.Any() && Fields.All(static path => path.Steps is [var only] && IsNumber(only.Name));

    /// <summary>Gets the paths into the record.</summary>
    public IEnumerable<FieldPath> Fields => _paths.OfType<FieldPath>().Where(static path => path.Source == FieldSource.Field);

    /// <summary>Gets a value indicating whether a value comes from a header.</summary>
    public bool HasHeaders => _paths.Any(static path => path is { Source: FieldSource.Header });

    /// <summary>Gets where a role's value comes from, or null.</summary>
    public FieldPath? this[FieldRole role] => _paths[(int)role];

    /// <summary>Reads a mapping.</summary>
    /// <exception cref="FieldMapException">It is not one: names the part and what is allowed.</exception>
    public static FieldMap Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var paths = new FieldPath?[Roles.Count];
        var reader = new FieldMapReader(text);
        while (reader.TryReadPair(out string name, out FieldPath? path))
        {
            if (!Enum.TryParse(name, ignoreCase: true, out FieldRole role) || IsNumber(name))
            {
                throw new FieldMapException($"'{name}' in '{text}' is not a field of an event; allowed: {string.Join(", ", Roles.Select(Name))}.");
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
                throw new FieldMapException($"'{text}' does not say where the {Name(role)} is; add {Name(role)}=….");
            }
        }

        CheckLists(paths, text);
        return new FieldMap(paths, text);
    }

    /// <summary>The mapping for rows that are flat: the names of a path, with the dots between, are one column's.</summary>
    public FieldMap Flat() => new(
        [.. _paths.Select(static path => path is { Source: FieldSource.Field } ? new FieldPath(path.ToString(), FieldSource.Field, string.Empty, [new PathStep(path.Column, false)]) : path)],
        Written);

    /// <summary>A role's name in a mapping.</summary>
    public static string Name(FieldRole role) => role.ToString().ToLowerInvariant();

    private static void CheckLists(FieldPath?[] paths, string text)
    {
        FieldPath[] lists = [.. paths.OfType<FieldPath>().Where(static path => path.ListStep >= 0)];
        if (lists.FirstOrDefault(static path => path.Steps.Count(static step => step.IsList) > 1) is { } nested)
        {
            throw new FieldMapException($"'{nested}' in '{text}' has two lists; allowed: one '[]'.");
        }

        if (lists.Select(static path => string.Join('.', path.Steps.Take(path.ListStep + 1).Select(static step => step.Name))).Distinct(StringComparer.Ordinal).Skip(1).Any())
        {
            throw new FieldMapException($"'{text}' leads into different lists; allowed: '[]' after one list's name.");
        }
    }

    private static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
