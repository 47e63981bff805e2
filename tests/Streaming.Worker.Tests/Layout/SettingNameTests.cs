using System.Text.RegularExpressions;
using Streaming.Lab.Backtest;
using Streaming.Worker.Commands;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>Settings that container files, pages, messages and scripts name: no compiler sees that one has gone.</summary>
public partial class SettingNameTests
{
    private static readonly string[] Endings = [".cs", ".md", ".sh", ".yml", ".yaml", ".json", ".csproj", ".env", "Dockerfile"];

    // Their subject is names that are wrong or old.
    private static readonly string[] Exceptions =
    [
        "SettingNameTests.cs",
        "Setting.cs",
        "SettingsSection.cs",
        "SettingsCatalogueTests.cs",
        "SettingsFileTests.cs",
        "SettingsCommandTests.cs",
        "SettingsGridTests.cs",
        "published.sh",
    ];

    private static IEnumerable<string> Files { get; } =
    [
        .. new[] { "src", "deploy", "tests", "schemas" }.SelectMany(static folder =>
            Directory.GetFiles(Path.Combine(RepositoryLayoutTests.Root(), folder), "*", SearchOption.AllDirectories)
        ),
        .. Directory.GetFiles(RepositoryLayoutTests.Root()),
    ];

    [Fact]
    public void NamesWithThePrefix_AreSettings()
    {
        var known = WorkerSettings
            .Catalogue.Sections.Concat(BacktestSettings.Catalogue.Sections)
            .SelectMany(static section => section.Settings)
            .SelectMany(static setting => setting.Secret ? [setting.Variable, setting.Variable + "File"] : new[] { setting.Variable })
            .ToHashSet(StringComparer.Ordinal);

        (string File, string Name)[] named =
        [
            .. Texts()
                .Where(static file => !TestCode().IsMatch(file.Path))
                .SelectMany(static file => Prefixed().Matches(file.Text).Select(match => (file.Path, match.Value))),
        ];

        Assert.True(named.Length > 200, "the names were not found");
        Assert.DoesNotContain(named, name => !known.Contains(name.Name));
    }

    [Fact]
    public void NamesWithoutThePrefix_AreOptionsOfBacktestOnly()
    {
        string sections = string.Join('|', WorkerSettings.Catalogue.Sections.Select(static section => section.Name).Distinct());
        var old = new Regex($@"(?<![\w{{}}])(?<!--set ""?)(?:{sections})__[A-Z][A-Za-z0-9]+(?:__[A-Z][A-Za-z0-9]+)*");

        Assert.Empty(
            Texts()
                .Where(static file =>
                    !file.Path.EndsWith("SETTINGS.md", StringComparison.Ordinal)
                    && !file.Path.Contains("/src/Streaming.Worker/Settings/", StringComparison.Ordinal)
                    && !file.Path.Contains("/Backtest", StringComparison.Ordinal)
                )
                .SelectMany(file => old.Matches(file.Text).Select(match => $"{file.Path}: {match.Value}"))
        );
    }

    private static IEnumerable<(string Path, string Text)> Texts() =>
        Files
            .Where(static file =>
                Endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)) && !Exceptions.Contains(Path.GetFileName(file))
            )
            .Select(static file => (file, File.ReadAllText(file)));

    // Tests set wrong names on purpose, and fail by themselves where a right one has gone.
    [GeneratedRegex(@"/tests/.*\.cs$")]
    private static partial Regex TestCode();

    [GeneratedRegex(@"\bSTREAMING(?:__[A-Z][A-Za-z0-9]+){2,}\b")]
    private static partial Regex Prefixed();
}
