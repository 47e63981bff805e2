using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>
/// Folders have boundaries: a namespace is a folder, a table lists which folders of its project a folder uses, and dependencies are
/// acyclic.
/// </summary>
public partial class SourceRoomsTests
{
    private static readonly string Sources = Path.Combine(RepositoryLayoutTests.Root(), "src");
    private static readonly SourceFile[] Files =
    [
        .. Directory
            .GetFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(SourceFile.Read),
    ];

    [Fact]
    public void Namespaces_AreFolders() =>
        Assert.Empty(
            Files
                .Where(file =>
                    file.Namespace.Length > 0
                    && file.Namespace != Path.GetRelativePath(Sources, Path.GetDirectoryName(file.Path)!).Replace('/', '.')
                )
                .Select(file => file.Path)
        );

    [Fact]
    public void Arrows_FormNoCircle()
    {
        Dictionary<string, SortedSet<string>> left = Arrows();
        Assert.True(left.Count > 30, "the sources were not found");

        // Repeatedly removes folders without remaining dependencies; those that cannot be removed are in a cycle.
        while (left.Where(room => !room.Value.Any(left.ContainsKey)).Select(room => room.Key).ToArray() is { Length: > 0 } lowest)
        {
            Array.ForEach(lowest, room => left.Remove(room));
        }

        Assert.Empty(left.Select(room => $"{room.Key} → {string.Join(", ", room.Value.Where(left.ContainsKey))}"));
    }

    [Fact]
    public void Arrows_AreThoseOfTheTable()
    {
        string page = File.ReadAllText(Path.Combine(Sources, "README.md")).ReplaceLineEndings("\n");
        string table = Table();

        Assert.True(
            page.Contains(table, StringComparison.Ordinal),
            $"The table of src/README.md is not that of the sources, which is:\n{table}"
        );
    }

    private static string Table()
    {
        Dictionary<string, SortedSet<string>> arrows = Arrows();
        StringBuilder table = new("| folder | uses, of its project |\n|---|---|\n");
        foreach ((string room, SortedSet<string> used) in arrows.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string project = Project(room);
            table
                .Append("| ")
                .Append(room)
                .Append(" | ")
                .AppendJoin(", ", used.Select(other => other.Length == project.Length ? "(top)" : other[(project.Length + 1)..]))
                .Append(" |\n");
        }

        return table.ToString();
    }

    /// <summary>Each folder, with the folders of the same project that its files use.</summary>
    private static Dictionary<string, SortedSet<string>> Arrows()
    {
        ILookup<string, string> declared = Files
            .SelectMany(file => file.Types.Select(type => (type, file.Namespace)))
            .ToLookup(pair => pair.type, pair => pair.Namespace);
        Dictionary<string, SortedSet<string>> arrows = [];
        foreach (SourceFile file in Files.Where(file => file.Namespace.Length > 0))
        {
            if (!arrows.TryGetValue(file.Namespace, out SortedSet<string>? used))
            {
                arrows[file.Namespace] = used = new SortedSet<string>(StringComparer.Ordinal);
            }

            // A using is a dependency; an enclosing namespace needs none, so its types are searched for by name.
            used.UnionWith(file.Usings.Where(name => Project(name) == Project(file.Namespace) && name != file.Namespace));
            used.UnionWith(
                file.Names.SelectMany(name => declared[name])
                    .Where(name =>
                        file.Namespace.StartsWith(name + ".", StringComparison.Ordinal) && Project(name) == Project(file.Namespace)
                    )
            );
        }

        return arrows;
    }

    private static string Project(string name) =>
        name.StartsWith("Streaming.Learning.Torch", StringComparison.Ordinal)
            ? "Streaming.Learning.Torch"
            : string.Join('.', name.Split('.').Take(2));

    private sealed partial record SourceFile(string Path, string Namespace, string[] Usings, string[] Types, HashSet<string> Names)
    {
        public static SourceFile Read(string path)
        {
            string text = Noise().Replace(File.ReadAllText(path), " ");
            return new SourceFile(
                path,
                NamespaceLine().Match(text).Groups[1].Value,
                [.. UsingLine().Matches(text).Select(match => match.Groups[1].Value)],
                [.. TypeDeclaration().Matches(text).Select(match => match.Groups[1].Value)],
                [.. Identifier().Matches(text).Select(match => match.Value)]
            );
        }

        // Comments, and single-line strings.
        [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""(?:\\.|[^""\\\n])*""", RegexOptions.Singleline)]
        private static partial Regex Noise();

        [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
        private static partial Regex NamespaceLine();

        [GeneratedRegex(@"^using (?:static |\w+ = )?(Streaming\.[\w.]+);", RegexOptions.Multiline)]
        private static partial Regex UsingLine();

        // Of the file, not nested: those begin at the margin.
        [GeneratedRegex(
            @"^(?:public |internal |file |sealed |static |abstract |partial |readonly |ref |unsafe )*(?:class|struct|interface|enum|record struct|record) (\w+)",
            RegexOptions.Multiline
        )]
        private static partial Regex TypeDeclaration();

        // Not a member of something else.
        [GeneratedRegex(@"(?<![.\w])[A-Z]\w*")]
        private static partial Regex Identifier();
    }
}
