using System.Text.RegularExpressions;
using Streaming.Core.Options;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Commands;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Logging;
using Streaming.Worker.Run;
using Streaming.Worker.Settings;
using Xunit;

namespace Streaming.Worker.Tests.Settings;

public sealed class SettingsCatalogueTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("settings-").FullName;

    private static SettingsCatalogue Catalogue { get; } =
        new([
            new SettingsSection("Sample", typeof(SampleOptions), "a sample.")
            {
                Secrets = new HashSet<string> { nameof(SampleOptions.Password) },
            },
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
                ("STREAMING__Sample__Count", "7"),
                ("streaming__sample__WIDTHS", "8, 16"),
                ("STREAMING__Sample__Wait", "250ms"),
                ("STREAMING__Sample__Groups", "text:384,image:512"),
                ("STREAMING__Sample__Weights", "view=1,purchase=2.5"),
                ("STREAMING__Sample__Inner__Depth", "3"),
                ("STREAMING__Sample__Limit", "")
            )
            .Get<SampleOptions>();

        Assert.Equal(7, sample.Count);
        Assert.Equal([8, 16], sample.Widths);
        Assert.Equal(TimeSpan.FromMilliseconds(250), sample.Wait);
        Assert.Equal([new FeatureGroup("text", 384), new FeatureGroup("image", 512)], sample.Groups);
        Assert.Equal(2.5f, sample.Weights["purchase"]);
        Assert.Equal(3, sample.Inner.Depth);
        Assert.Null(sample.Limit);
    }

    [Theory]
    [InlineData("STREAMING__Checkpoint__Folder")]
    [InlineData("STREAMING__Kafka__InteractionsTopic")]
    [InlineData("STREAMING__Redis__Configuration")]
    public void Load_LineBreakAtTheEnd_IsNotPartOfTheValueAndOtherControlCharactersAreRefused(string name)
    {
        string Read(string value)
        {
            WorkerOptions options = WorkerSettings.Options(new Dictionary<string, string> { [name] = value });
            return name switch
            {
                "STREAMING__Checkpoint__Folder" => options.Checkpoint.Folder,
                "STREAMING__Kafka__InteractionsTopic" => options.Kafka.InteractionsTopic,
                _ => options.Redis.Configuration,
            };
        }

        Assert.Equal("value", Read("value\n"));
        Assert.Equal("value", Read("value\r\n"));
        SettingsException refused = Assert.Throws<SettingsException>(() => Read("a\nb"));
        Assert.Contains(
            $"{name} is '{(name.Contains("Redis", StringComparison.Ordinal) ? "***" : "a")}",
            Assert.Single(refused.Errors),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Load_SeveralWrong_NamesThemAllAtOnce()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            Load(
                ("STREAMING__Sample__Cuont", "1"),
                ("STREAMING__Sample__Wait", "5"),
                ("STREAMING__Log__Format", "xml"),
                ("STREAMING__Sample__Weights", "view"),
                ("STREAMING__Sample__Count", "11")
            )
        );

        Assert.Equal(
            [
                "STREAMING__Log__Format is 'xml'; allowed: one of Text, Json.",
                "STREAMING__Sample__Cuont is not a setting; did you mean STREAMING__Sample__Count?",
                "STREAMING__Sample__Wait is '5'; allowed: a time such as 500ms, 1s, 5m, 2h, 7d or 00:00:01.5.",
                "STREAMING__Sample__Weights is 'view'; allowed: name=value pairs separated by commas, each value a finite number such "
                    + "as 0.001.",
                "STREAMING__Sample__Count is 11; allowed: 0 … 10.",
            ],
            exception.Errors
        );
    }

    [Fact]
    public void Load_VariablesOfOtherPrograms_AreLeftAlone()
    {
        SettingsValues settings = Load(
            ("Sample__Port", "tcp://10.0.0.1:6379"),
            ("REDIS__X", "1"),
            ("Sample", "x"),
            ("STREAMINGS__Sample__Count", "x")
        );

        Assert.Empty(settings.Sources);
        Assert.Empty(settings.Notices);
    }

    [Fact]
    public void Load_OldName_IsReadAndTheNewOneNamed()
    {
        SettingsValues settings = Load(("Sample__Count", "7"));

        Assert.Equal(7, settings.Get<SampleOptions>().Count);
        Assert.Equal(
            "Sample__Count is an old name that the next version will not read: set STREAMING__Sample__Count",
            Assert.Single(settings.Notices)
        );
    }

    [Fact]
    public void Load_OldNameWithAWrongValue_NamesBoth() =>
        Assert.Equal(
            "STREAMING__Sample__Count (set as Sample__Count) is 11; allowed: 0 … 10.",
            Assert.Single(Assert.Throws<SettingsException>(() => Load(("Sample__Count", "11"))).Errors)
        );

    [Fact]
    public void Load_OldAndNewName_MustAgree()
    {
        Assert.Equal(7, Load(("Sample__Count", "7"), ("STREAMING__Sample__Count", "7")).Get<SampleOptions>().Count);

        string error = Assert.Single(
            Assert.Throws<SettingsException>(() => Load(("Sample__Count", "7"), ("STREAMING__Sample__Count", "8"))).Errors
        );
        Assert.Equal("STREAMING__Sample__Count and Sample__Count set the same thing; allowed: one of them.", error);
    }

    [Fact]
    public void Load_LaterLayers_ReplaceEarlierOnes()
    {
        SettingsValues settings = Catalogue.Load([
            SettingsFile.Parse("Sample__Count=3\nSample__Wait=2s", "a.env", Catalogue),
            SettingsLayer.Environment(new Dictionary<string, string> { ["STREAMING__Sample__Count"] = "4" }),
        ]);

        Assert.Equal((4, TimeSpan.FromSeconds(2)), (settings.Get<SampleOptions>().Count, settings.Get<SampleOptions>().Wait));
        string shown = SettingsTable.Effective(settings);
        Assert.Contains("STREAMING__Sample__Count=4  # environment\n", shown, StringComparison.Ordinal);
        Assert.Contains("STREAMING__Sample__Wait=2s  # file, a.env:2\n", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SettingsOfAnotherProgram_AreNamedAsUnused()
    {
        var catalogue = new SettingsCatalogue(Catalogue.Sections)
        {
            Elsewhere = new HashSet<string> { "Offline", "Sample__Rows" },
        };

        SettingsValues settings = catalogue.Load(
            new Dictionary<string, string> { ["STREAMING__Offline__Epochs"] = "3", ["STREAMING__Sample__Rows"] = "1" }
        );

        Assert.Equal(["Not used by this command: STREAMING__Offline__Epochs, STREAMING__Sample__Rows"], settings.Notices);
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
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            Load(("STREAMING__Sample__Count", "-1"), ("STREAMING__Sample__Inner__Depth", "0"))
        );

        Assert.Equal(
            ["STREAMING__Sample__Count is -1; allowed: 0 … 10.", "STREAMING__Sample__Inner__Depth is 0; allowed: 1 and up."],
            exception.Errors
        );
    }

    [Fact]
    public void Load_SecretFromFile_IsReadAndHidden()
    {
        string file = Path.Combine(_folder, "password");
        File.WriteAllText(file, "s3cret\n");

        SettingsValues settings = Load(("STREAMING__Sample__PasswordFile", file));

        Assert.Equal("s3cret", settings.Get<SampleOptions>().Password);
        Assert.DoesNotContain("s3cret", SettingsTable.Effective(settings), StringComparison.Ordinal);
        Assert.Contains("STREAMING__Sample__Password=***", SettingsTable.Effective(settings), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SecretTwice_IsAnError()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            Load(("STREAMING__Sample__Password", "x1y2z3"), ("STREAMING__Sample__PasswordFile", "/nowhere"))
        );

        Assert.Equal(
            ["STREAMING__Sample__Password and STREAMING__Sample__PasswordFile set the same thing; allowed: one of them."],
            exception.Errors
        );
        Assert.DoesNotContain("x1y2z3", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingSecretFile_SaysSo()
    {
        string error = Assert.Single(
            Assert.Throws<SettingsException>(() => Load(("STREAMING__Sample__PasswordFile", Path.Combine(_folder, "none")))).Errors
        );

        Assert.StartsWith("STREAMING__Sample__PasswordFile is ", error, StringComparison.Ordinal);
        Assert.EndsWith("allowed: a readable file that holds the secret.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileSuffixOnAPlainSetting_IsUnknown() =>
        Assert.Contains(
            "STREAMING__Sample__CountFile is not a setting",
            Assert.Throws<SettingsException>(() => Load(("STREAMING__Sample__CountFile", "x"))).Message,
            StringComparison.Ordinal
        );

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
        SettingsValues settings = WorkerSettings.Catalogue.Load(
            new Dictionary<string, string>
            {
                ["STREAMING__Training__Threads"] = "3",
                ["STREAMING__Training__Engine"] = "cpu",
                ["STREAMING__Training__UniformNegatives"] = "7",
            }
        );

        Assert.Equal((3, EngineKind.Cpu), (settings.Get<EngineOptions>().Threads, settings.Get<EngineOptions>().Engine));
        Assert.Equal(7, settings.Get<TrainerOptions>().UniformNegatives);

        SettingsException exception = Assert.Throws<SettingsException>(() =>
            WorkerSettings.Catalogue.Load(
                new Dictionary<string, string> { ["STREAMING__Training__Thread"] = "3", ["STREAMING__Training__Device"] = "" }
            )
        );
        Assert.Equal(
            [
                "STREAMING__Training__Thread is not a setting; did you mean STREAMING__Training__Threads?",
                "STREAMING__Training__Device is empty; allowed: cpu, cuda, cuda:N.",
            ],
            exception.Errors
        );
    }

    [Fact]
    public void Load_KafkaStart_NamesWhatIsAllowedAndWhereTheOldNameWent()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            WorkerSettings.Catalogue.Load(
                new Dictionary<string, string> { ["STREAMING__Kafka__StartFrom"] = "Latest", ["STREAMING__Kafka__Start"] = "yesterday" }
            )
        );

        Assert.Equal(
            [
                "STREAMING__Kafka__StartFrom is not a setting; did you mean STREAMING__Kafka__Start?",
                "STREAMING__Kafka__Start is 'yesterday'; allowed: earliest, latest, or an ISO 8601 time with a zone such as "
                    + "2026-03-01T06:00:00Z.",
            ],
            exception.Errors
        );
    }

    [Fact]
    public void Catalogue_EverySettingOfTheProgram_HasADocumentedMeaning()
    {
        Assert.All(
            WorkerSettings.Catalogue.Sections.SelectMany(section => section.Settings),
            setting => Assert.True(XmlDocumentation.Summary(setting.Property).Length > 10, $"{setting.Variable} has no doc comment")
        );
    }

    [Fact]
    public void Catalogue_DefaultsThatDocCommentsState_AreThoseOfTheCode()
    {
        (Setting Setting, string Stated, string Value)[] stated =
        [
            .. from section in WorkerSettings.Catalogue.Sections
            let defaults = Activator.CreateInstance(section.Type)!
            from setting in section.Settings
            let text = StatedDefault.Of(XmlDocumentation.Summary(setting.Property))
            where text is not null
            select (setting, text, SettingValue.Format(setting.Get(defaults))),
        ];

        Assert.True(stated.Length > 100, "doc comments were not found");
        Assert.Empty(
            stated
                .Where(static one => !StatedDefault.Agrees(one.Stated, one.Value))
                .Select(static one => $"{one.Setting.Variable} is {one.Value} by default; its comment says {one.Stated}")
        );
    }

    [Theory]
    [InlineData("A number. Default 1,024; 1 … 4,096.", "1024", "A number. 1 … 4,096.")]
    [InlineData("A time. Default 7 days.", "7d", "A time.")]
    [InlineData("A time. Default 7 days.", "6d", "A time. Default 7 days.")]
    [InlineData("A number. Default 0: as many as there are.", "0", "A number. Default 0: as many as there are.")]
    public void StatedDefault_ThatOnlyRepeatsTheValue_IsLeftOutOfTheTable(string summary, string value, string shown) =>
        Assert.Equal(shown, StatedDefault.Remove(summary, value));

    [Fact]
    public void Catalogue_FifteenSettings_AreShownFirst()
    {
        Assert.Equal(
            15,
            WorkerSettings.Catalogue.Sections.SelectMany(static section => section.Settings).Count(static setting => setting.Essential)
        );
        Assert.All(
            WorkerSettings.Catalogue.Sections,
            static section =>
                Assert.Subset(section.Settings.Select(static setting => setting.Name).ToHashSet(), section.Essential.ToHashSet())
        );
    }

    [Fact]
    public void Catalogue_DefaultsOfTheProgram_AreValidAndReadAsTheyAreWritten()
    {
        SettingsValues defaults = WorkerSettings.Catalogue.Load(new Dictionary<string, string>());
        string shown = SettingsTable.Effective(defaults);

        SettingsValues again = WorkerSettings.Catalogue.Load([SettingsFile.Parse(shown, "all.env", WorkerSettings.Catalogue)]);

        Assert.Equal(shown, new Regex("  # file.*").Replace(SettingsTable.Effective(again), string.Empty));
    }

    private static SettingsValues Load(params (string Name, string Value)[] variables) =>
        Catalogue.Load(variables.ToDictionary(pair => pair.Name, pair => pair.Value));

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
            var errors = new OptionErrors();
            errors.Range(nameof(Count), Count, 0, 10);
            errors.Include(nameof(Inner), Inner.Validate);
            errors.Throw();
        }
    }

    internal sealed record InnerOptions
    {
        public int Depth { get; init; } = 1;

        public void Validate()
        {
            var errors = new OptionErrors();
            errors.Check(Depth >= 1, nameof(Depth), Depth, "1 and up");
            errors.Throw();
        }
    }
}
