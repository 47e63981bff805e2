using System.Text;
using System.Text.RegularExpressions;
using Streaming.Lab.Commands;
using Streaming.Worker.Commands;
using Streaming.Worker.Settings;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>Documentation matches the program, and its links resolve.</summary>
public partial class DocumentationTests
{
    private static readonly string Root = RepositoryLayoutTests.Root();

    [Fact]
    public void Settings_AreThoseOfTheCode() => Assert.Equal(SettingsTable.Markdown(WorkerSettings.Catalogue), Read("deploy/SETTINGS.md"));

    [Fact]
    public void ExitCodes_AreThoseOfTheCode() =>
        Assert.Equal(ExitCodeTable.Markdown().Trim(), Between(Read("deploy/README.md"), "exit codes").Trim());

    [Fact]
    public void Commands_AreThoseOfThePrograms()
    {
        string readme = Read("README.md");

        Assert.All(
            WorkerCommands.Create().Subcommands.Concat(LabCommands.Create().Subcommands),
            command => Assert.Contains($"| `{command.Name}` |", readme, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Readme_IsReadInTwoMinutes() => Assert.InRange(Read("README.md").Split('\n').Length, 1, 151);

    [Fact]
    public void Links_LeadToFilesAndHeadings()
    {
        string[] pages =
        [
            .. Directory
                .GetFiles(Root, "*.md", SearchOption.AllDirectories)
                .Where(page => !page.Contains("/.artifacts/", StringComparison.Ordinal)),
        ];
        Assert.True(pages.Length >= 7, "the documentation was not found");

        Assert.Empty(
            pages.SelectMany(page =>
                Link()
                    .Matches(File.ReadAllText(page))
                    .Select(match => match.Groups[1].Value)
                    .Where(link => !LeadsSomewhere(page, link))
                    .Select(link => $"{page}: {link}")
            )
        );
    }

    private static bool LeadsSomewhere(string page, string link)
    {
        string[] parts = link.Split('#', 2);
        string target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        return parts.Length == 1
            ? File.Exists(target) || Directory.Exists(target)
            : File.Exists(target) && Heading().Matches(File.ReadAllText(target)).Any(match => Anchor(match.Groups[1].Value) == parts[1]);
    }

    // Like common Markdown renderers: lower-case letters and digits, blanks as hyphens, all else removed.
    private static string Anchor(string heading)
    {
        StringBuilder anchor = new();
        foreach (char character in heading.Trim().ToLowerInvariant())
        {
            anchor.Append(
                character == ' ' ? "-"
                : char.IsLetterOrDigit(character) || character is '-' or '_' ? character.ToString()
                : string.Empty
            );
        }

        return anchor.ToString();
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(Root, path)).ReplaceLineEndings("\n");

    private static string Between(string page, string name)
    {
        string begin = $"<!-- {name}: generated from the code, checked by a test -->";
        string end = $"<!-- end of {name} -->";
        Assert.Contains(begin, page, StringComparison.Ordinal);
        int start = page.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return page[start..page.IndexOf(end, start, StringComparison.Ordinal)];
    }

    [GeneratedRegex(@"\]\((?!https?:)([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
