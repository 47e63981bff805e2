using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>
/// Each source file of 60 lines and more has its tests: a class XTests in the tests of its project, or the class that
/// TestsOfOtherNames.txt names, or the reason there why none is needed.
/// </summary>
public class TestsMirrorSourcesTests
{
    private const int Lines = 60;
    private const string Table = "tests/Streaming.Worker.Tests/Layout/TestsOfOtherNames.txt";

    /// <summary>Test classes by path, as "Streaming.Core.Tests/Dedup/DedupWindowTests".</summary>
    private static readonly HashSet<string> Classes = [.. Files("tests", "*Tests.cs")];

    /// <summary>Source files by path, as "Streaming.Core/Dedup/DedupWindow".</summary>
    private static readonly string[] Sources =
    [
        .. Files("src", "*.cs")
            .Where(source => File.ReadLines(Path.Combine(RepositoryLayoutTests.Root(), "src", source + ".cs")).Count() >= Lines),
    ];

    private static readonly (string Tests, string Source)[] Others =
    [
        .. File.ReadLines(Path.Combine(RepositoryLayoutTests.Root(), Table))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(" <- "))
            .SelectMany(parts =>
                parts[1].Split(": ") is [var project, var files]
                    ? files.Split(' ').Select(file => (parts[0], $"{project}/{file}"))
                    : throw new FormatException($"{Table}: '{parts[1]}'")
            ),
    ];

    [Fact]
    public void Sources_OfSixtyLinesAndMore_HaveATestClassOrAReason()
    {
        Assert.True(Sources.Length > 200, "the sources were not found");

        Assert.Empty(
            Sources
                .Where(source => !HasItsOwn(source))
                .Except(Others.Select(other => other.Source))
                .Select(source =>
                    $"src/{source}.cs has no test class {Path.GetFileName(source)}Tests: write one, or say in {Table} what tests it"
                )
        );
    }

    [Fact]
    public void Table_NamesEachSourceOnceAndNoneThatHasItsOwnClass()
    {
        Assert.Equal(Others.Select(other => other.Source).Distinct(), Others.Select(other => other.Source));
        Assert.Empty(
            Others
                .Where(other => !Sources.Contains(other.Source))
                .Select(other => $"{other.Source} is no source file of {Lines} lines and more")
        );
        Assert.Empty(Others.Where(other => HasItsOwn(other.Source)).Select(other => $"{other.Source} has a test class of its name"));
    }

    [Fact]
    public void Table_NamesTestClassesThatExist() =>
        Assert.Empty(
            Others
                .Where(other => !Classes.Contains(other.Tests) && other.Tests is not ['(', .., ')'])
                .Select(other => $"there is no {other.Tests}")
                .Distinct()
        );

    private static bool HasItsOwn(string source) =>
        Classes.Any(tests =>
            tests.StartsWith(source.Split('/')[0] + ".Tests/", StringComparison.Ordinal)
            && Path.GetFileName(tests) == Path.GetFileName(source) + "Tests"
        );

    private static IEnumerable<string> Files(string folder, string pattern)
    {
        string top = Path.Combine(RepositoryLayoutTests.Root(), folder);
        return Directory
            .GetFiles(top, pattern, SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(top, path)[..^".cs".Length])
            .Order(StringComparer.Ordinal);
    }
}
