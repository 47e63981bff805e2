using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Http;
using Streaming.Worker.Logging;
using Streaming.Worker.Settings;
using Xunit;

namespace Streaming.Worker.Tests.Settings;

public class SettingsPresetTests
{
    private static SettingsCatalogue Catalogue { get; } =
        new([new SettingsSection("Http", typeof(HttpOptions), "the endpoint."), new SettingsSection("Log", typeof(LogOptions), "the log.")])
        {
            Presets =
            [
                new SettingsPreset("plain", "nothing.", new Dictionary<string, string>()),
                new SettingsPreset(
                    "loud",
                    "much.",
                    new Dictionary<string, string> { ["STREAMING__Http__Port"] = "9", ["STREAMING__Log__Format"] = "Json" }
                ),
            ],
        };

    [Fact]
    public void Preset_ReplacesDefaultsAndIsReplacedByWhatIsSet()
    {
        SettingsValues settings = Load(("STREAMING__Preset", "Loud"), ("STREAMING__Http__Port", "4"));

        Assert.Equal(LogFormat.Json, settings.Get<LogOptions>().Format);
        Assert.Equal(4, settings.Get<HttpOptions>().Port);
        Assert.Equal("loud", settings.Preset?.Name);
        Assert.Contains("STREAMING__Log__Format=Json  # preset, loud\n", SettingsTable.Effective(settings), StringComparison.Ordinal);
        Assert.Contains("STREAMING__Http__Port=4  # environment\n", SettingsTable.Effective(settings), StringComparison.Ordinal);
    }

    [Fact]
    public void Preset_OfTheEnvironment_ReplacesThatOfTheFile()
    {
        SettingsValues settings = Catalogue.Load([
            SettingsFile.Parse("Preset=plain\nHttp__Port=3", "own.env", Catalogue),
            SettingsLayer.Environment([new("STREAMING__Preset", "loud")]),
        ]);

        Assert.Equal("loud", settings.Preset?.Name);
        Assert.Equal(3, settings.Get<HttpOptions>().Port);
    }

    [Fact]
    public void Preset_OfAFile_MayBeJson() =>
        Assert.Equal("loud", Catalogue.Load([SettingsFile.Parse("""{"Preset": "loud"}""", "own.json", Catalogue)]).Preset?.Name);

    [Fact]
    public void Preset_Unknown_IsNamedWithThoseThatExist()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            Catalogue.Load([SettingsFile.Parse("\nPreset=quiet", "own.env", Catalogue)])
        );

        Assert.Equal(["STREAMING__Preset (own.env:2) is 'quiet'; allowed: one of plain, loud."], exception.Errors);
    }

    [Fact]
    public void Preset_OfAnotherProgramsVariable_IsLeftAlone() => Assert.Null(Load(("PRESET", "quiet")).Preset);

    [Fact]
    public void EachPresetOfTheWorker_IsValidAndShownAsItIsRead()
    {
        Assert.Equal(["stream", "dense", "card"], WorkerSettings.Catalogue.Presets.Select(preset => preset.Name));
        foreach (SettingsPreset preset in WorkerSettings.Catalogue.Presets)
        {
            SettingsValues settings = WorkerSettings.Catalogue.Load(new Dictionary<string, string> { ["STREAMING__Preset"] = preset.Name });

            Assert.Equal(preset.Values.Count, settings.Sources.Count);
            string shown = SettingsTable.Effective(settings);
            SettingsValues again = WorkerSettings.Catalogue.Load([SettingsFile.Parse(shown, "all.env", WorkerSettings.Catalogue)]);
            Assert.Equal(Lines(shown), Lines(SettingsTable.Effective(again)));
        }
    }

    private static IEnumerable<string> Lines(string shown) => shown.Split('\n').Select(line => line.Split("  #")[0]);

    private static SettingsValues Load(params (string Name, string Value)[] variables) =>
        Catalogue.Load(variables.ToDictionary(pair => pair.Name, pair => pair.Value));
}
