using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Commands;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Logging;
using Streaming.Worker.Settings;
using Xunit;

namespace Streaming.Worker.Tests.Settings;

public sealed class SettingsCatalogueTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("settings-").FullName;

    private static SettingsCatalogue Catalogue { get; } = new(
    [
        new SettingsSection("Sample", typeof(SampleOptions), "a sample.") { Secrets = new HashSet<string> { nameof(SampleOptions.Password) } },
        new SettingsSection("Log", typeof(LogOptions), "the log."),
    ]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_NothingSet_GivesDefaults()
    {
        SettingsValues settings = Load();

        Assert.Equal(5, settings.Get<SampleOptions>().Count);
        Assert.Equal(LogFormat.Text, settings.Get<LogOptions>().Format);
    }

    [Fact]
    public void Load_EveryKindOfValue_IsRead()
    {
        SampleOptions sample = Load(
            ("Sample__Count", "7"), ("sample__WIDTHS", "8, 16"), ("Sample__Wait", "250ms"), ("Sample__Groups", "text:384,image:512"),
            ("Sample__Weights", "view=1,purchase=2.5"), ("Sample__Inner__Depth", "3"), ("Sample__Limit", "")).Get<SampleOptions>();

        Assert.Equal(7, sample.Count);
        Assert.Equal([8, 16], sample.Widths);
        Assert.Equal(TimeSpan.FromMilliseconds(250), sample.Wait);
        Assert.Equal([new FeatureGroup("text", 384), new FeatureGroup("image", 512)], sample.Groups);
        Assert.Equal(2.5f, sample.Weights["purchase"]);
        Assert.Equal(3, sample.Inner.Depth);
        Assert.Null(sample.Limit);
    }

    [Fact]
    public void Load_SeveralWrong_NamesThemAllAtOnce()
    {
        var exception = Assert.Throws<SettingsException>(() => Load(("Sample__Cuont", "1"), ("Sample__Wait", "5"), ("Log__Format", "xml"), ("Sample__Weights", "view")));

        Assert.Equal(
            [
                "Sample__Cuont is not a setting; did you mean Sample__Count?",
                "Sample__Wait is \"5\"; allowed: a time such as 500ms, 1s, 5m, 2h, 7d or 00:00:01.5.",
                "Sample__Weights is \"view\"; allowed: name=value pairs separated by commas, each value a finite number such as 0.001.",
                "Log__Format is \"xml\"; allowed: one of Text, Json.",
            ],
            exception.Errors.OrderBy(error => error.StartsWith("Log", StringComparison.Ordinal)).ThenBy(error => error, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("0,01")]
    [InlineData("1,5")]
    [InlineData("100,000")]
    [InlineData("1,000")]
    public void Load_NumberWithAComma_IsNoNumber(string text)
    {
        Assert.Throws<FormatException>(() => SettingValue.Parse(text, typeof(double)));
        Assert.Throws<FormatException>(() => SettingValue.Parse(text, typeof(float)));
        Assert.Throws<FormatException>(() => SettingValue.Parse(text, typeof(int)));
    }

    [Fact]
    public void Load_OutOfRange_NamesTheVariables()
    {
        var exception = Assert.Throws<SettingsException>(() => Load(("Sample__Count", "-1"), ("Sample__Inner__Depth", "0")));

        Assert.Equal(["Sample__Count is -1; allowed: 0 … 10.", "Sample__Inner__Depth is 0; allowed: 1 and up."], exception.Errors);
    }

    [Fact]
    public void Load_SecretFromFile_IsReadAndHidden()
    {
        string file = Path.Combine(_folder, "password");
        File.WriteAllText(file, "s3cret\n");

        SettingsValues settings = Load(("Sample__PasswordFile", file));

        Assert.Equal("s3cret", settings.Get<SampleOptions>().Password);
        Assert.DoesNotContain("s3cret", SettingsTable.Effective(settings), StringComparison.Ordinal);
        Assert.Contains("Sample__Password=***", SettingsTable.Effective(settings), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SecretTwice_IsAnError()
    {
        var exception = Assert.Throws<SettingsException>(() => Load(("Sample__Password", "x1y2z3"), ("Sample__PasswordFile", "/nowhere")));

        Assert.Equal(["Sample__PasswordFile and Sample__Password set the same thing; allowed: one of them."], exception.Errors);
        Assert.DoesNotContain("x1y2z3", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingSecretFile_SaysSo()
    {
        string error = Assert.Single(Assert.Throws<SettingsException>(() => Load(("Sample__PasswordFile", Path.Combine(_folder, "none")))).Errors);

        Assert.StartsWith("Sample__PasswordFile is ", error, StringComparison.Ordinal);
        Assert.EndsWith("allowed: a readable file that holds the secret.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileSuffixOnAPlainSetting_IsUnknown() =>
        Assert.Contains("Sample__CountFile is not a setting", Assert.Throws<SettingsException>(() => Load(("Sample__CountFile", "x"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("host:6379,password=abc,ssl=true", "host:6379,password=***,ssl=true")]
    [InlineData("host:6379,password=a b;c,ssl=true", "host:6379,password=***,ssl=true")]
    [InlineData("host:6379", "host:6379")]
    [InlineData("redis://user:abc@host:6379", "redis://user:***@host:6379")]
    [InlineData("abc", "***")]
    [InlineData("", "")]
    public void Mask_KeepsWhatIsNoSecret(string value, string shown) => Assert.Equal(shown, SecretMask.Apply(value));

    [Theory]
    [InlineData("1.5s")]
    [InlineData("90m")]
    [InlineData("7d")]
    [InlineData("0s")]
    [InlineData("50ms")]
    public void Time_IsWrittenAsItIsRead(string text)
    {
        object? time = SettingValue.Parse(text, typeof(TimeSpan));

        Assert.Equal(time, SettingValue.Parse(SettingValue.Format(time), typeof(TimeSpan)));
    }

    [Fact]
    public void Load_SectionsOfOneName_ReadTheirOwnSettingsAndRefuseOthers()
    {
        SettingsValues settings = WorkerSettings.Catalogue.Load(new Dictionary<string, string> { ["Training__Threads"] = "3", ["Training__Engine"] = "cpu", ["Training__UniformNegatives"] = "7" });

        Assert.Equal((3, EngineKind.Cpu), (settings.Get<EngineOptions>().Threads, settings.Get<EngineOptions>().Engine));
        Assert.Equal(7, settings.Get<TrainerOptions>().UniformNegatives);

        var exception = Assert.Throws<SettingsException>(() => WorkerSettings.Catalogue.Load(new Dictionary<string, string> { ["Training__Thread"] = "3", ["Training__Device"] = "" }));
        Assert.Equal(["Training__Thread is not a setting; did you mean Training__Threads?", "Training__Device is ; allowed: cpu, cuda, cuda:N."], exception.Errors);
    }

    [Fact]
    public void Load_KafkaStart_NamesWhatIsAllowedAndWhereTheOldNameWent()
    {
        var exception = Assert.Throws<SettingsException>(() => WorkerSettings.Catalogue.Load(new Dictionary<string, string> { ["Kafka__StartFrom"] = "Latest", ["Kafka__Start"] = "yesterday" }));

        Assert.Equal(
            [
                "Kafka__StartFrom is not a setting; did you mean Kafka__Start?",
                "Kafka__Start is 'yesterday'; allowed: earliest, latest, or an ISO 8601 time with a zone such as 2026-03-01T06:00:00Z.",
            ],
            exception.Errors);
    }

    [Fact]
    public void Catalogue_EverySettingOfTheProgram_HasADocumentedMeaning()
    {
        Assert.All(
            WorkerSettings.Catalogue.Sections.SelectMany(section => section.Settings),
            setting => Assert.True(XmlDocumentation.Summary(setting.Property).Length > 10, $"{setting.Variable} has no doc comment"));
    }

    [Fact]
    public void Catalogue_DefaultsOfTheProgram_AreValidAndReadAsTheyAreWritten()
    {
        SettingsValues defaults = WorkerSettings.Catalogue.Load(new Dictionary<string, string>());
        Dictionary<string, string> shown = SettingsTable.Effective(defaults).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2)).Where(pair => pair[1] != "***").ToDictionary(pair => pair[0], pair => pair[1]);

        Assert.Equal(SettingsTable.Effective(defaults), SettingsTable.Effective(WorkerSettings.Catalogue.Load(shown)));
    }

    private static SettingsValues Load(params (string Name, string Value)[] variables) => Catalogue.Load(variables.ToDictionary(pair => pair.Name, pair => pair.Value));

    internal sealed record SampleOptions
    {
        public int Count { get; init; } = 5;

        public IReadOnlyList<int> Widths { get; init; } = [16, 32];

        public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(1);

        public IReadOnlyList<FeatureGroup> Groups { get; init; } = [];

        public IReadOnlyDictionary<string, float> Weights { get; init; } = new Dictionary<string, float> { ["view"] = 1 };

        public string Password { get; init; } = string.Empty;

        public int? Limit { get; init; } = 1;

        public InnerOptions Inner { get; init; } = new();

        public int Twice => Count * 2;

        public void Validate()
        {
            string[] errors = [.. Errors()];
            if (errors.Length > 0)
            {
                throw new ArgumentException(string.Join('\n', errors));
            }
        }

        private IEnumerable<string> Errors()
        {
            if (Count is < 0 or > 10)
            {
                yield return $"Count is {Count}; allowed: 0 … 10.";
            }

            if (Inner.Depth < 1)
            {
                yield return $"Inner.Depth is {Inner.Depth}; allowed: 1 and up.";
            }
        }
    }

    internal sealed record InnerOptions
    {
        public int Depth { get; init; } = 1;
    }
}
