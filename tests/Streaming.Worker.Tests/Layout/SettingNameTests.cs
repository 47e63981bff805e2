using System.Text.RegularExpressions;
using Streaming.Worker.Commands;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>Settings named in container files and messages, which no compiler checks.</summary>
public partial class SettingNameTests
{
    [Fact]
    public void SettingNames_AreSettings()
    {
        var known = WorkerSettings.Catalogue.Sections.SelectMany(section => section.Settings).Select(setting => setting.Variable).ToHashSet(StringComparer.Ordinal);
        string[] files = [.. Files("src/Streaming.Learning.Torch"), .. Files("deploy").Where(static file => !file.EndsWith("SETTINGS.md", StringComparison.Ordinal)), Path.Combine(RepositoryLayoutTests.Root(), "docker-compose.yml")];

        Assert.All(files, file => Assert.Empty(SettingName().Matches(File.ReadAllText(file)).Select(match => match.Value).Except(known)));
    }

    private static string[] Files(string folder) => Directory.GetFiles(Path.Combine(RepositoryLayoutTests.Root(), folder), "*", SearchOption.AllDirectories);

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+(?:__[A-Z][A-Za-z0-9]+)+\b")]
    private static partial Regex SettingName();
}
