using Xunit;

namespace Streaming.Worker.Tests;

/// <summary>What the README says of the program is made from the program.</summary>
public class ReadmeTests
{
    [Fact]
    public void SettingsTable_IsThatOfTheCode() =>
        Assert.Equal(SettingsTable.Markdown(WorkerSettings.Catalogue).Trim(), Between("settings").Trim());

    [Fact]
    public void ExitCodes_AreThoseOfTheCode() =>
        Assert.Equal(ExitCodeTable.Markdown().Trim(), Between("exit codes").Trim());

    [Fact]
    public void Commands_AreThoseOfTheProgram()
    {
        string readme = Readme();

        Assert.All(CommandLine.Create().Subcommands, command => Assert.Contains($"| `{command.Name}` |", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void Files_ThatTheReadmeLinks_Exist()
    {
        foreach (System.Text.RegularExpressions.Match link in System.Text.RegularExpressions.Regex.Matches(Readme(), @"\]\((?!https?:|#)([^)#]+)\)"))
        {
            string path = Path.Combine(RepositoryLayoutTests.Root(), link.Groups[1].Value);
            Assert.True(File.Exists(path) || Directory.Exists(path), link.Groups[1].Value);
        }
    }

    private static string Readme() => File.ReadAllText(Path.Combine(RepositoryLayoutTests.Root(), "README.md")).ReplaceLineEndings("\n");

    private static string Between(string name)
    {
        string readme = Readme();
        string begin = $"<!-- {name}: made from the code, checked by a test -->";
        string end = $"<!-- end of {name} -->";
        Assert.Contains(begin, readme, StringComparison.Ordinal);
        int start = readme.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return readme[start..readme.IndexOf(end, start, StringComparison.Ordinal)];
    }
}
