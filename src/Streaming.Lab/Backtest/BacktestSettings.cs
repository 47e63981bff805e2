using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Options;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Commands;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;

namespace Streaming.Lab.Backtest;

/// <summary>The settings that a backtest reads: the model's, and how it is trained offline or on a stream.</summary>
internal static class BacktestSettings
{
    // Follow from the data or have an option. Static members are initialised in the order of the text: these before the catalogues.
    private static readonly string[] Derived = ["Model__FeatureGroups", "Model__ItemCapacity", "Training__Threads"];

    /// <summary>Gets the sections, where no item files are given.</summary>
    public static SettingsCatalogue Catalogue { get; } = Create(CheckWithoutFeatures);

    /// <summary>Gets the sections, where item files bring features: how many is known when they are read.</summary>
    private static SettingsCatalogue CatalogueWithFeatures { get; } =
        Create(static settings => (settings.Get<ModelOptions>() with { FeatureGroups = [new FeatureGroup("items", 1)] }).Validate());

    private static SettingsCatalogue Create(Action<SettingsValues> checkModel) =>
        new([
            new SettingsSection("Events", typeof(EventOptions), "what counts as an event, and how much (--events)."),
            new SettingsSection(
                "History",
                typeof(HistoryOptions),
                "what is kept of each user; new items and repeats are told by it (protocol prequential)."
            ),
            new SettingsSection(
                "Dedup",
                typeof(DedupOptions),
                "the window in which a second record of an event is recognised, by event time (--events)."
            ),
            new SettingsSection("Model", typeof(ModelOptions), "shape and hyper-parameters of the model.", SettingGroup.Model)
            {
                Derived = new HashSet<string> { nameof(ModelOptions.FeatureGroups), nameof(ModelOptions.ItemCapacity) },
                Check = checkModel,
            },
            new SettingsSection("Training", typeof(EngineOptions), "what computes the training step.", SettingGroup.Model)
            {
                Derived = new HashSet<string> { nameof(EngineOptions.Threads) },
            },
            new SettingsSection("Training", typeof(TrainerOptions), "how a stream is learned (protocol prequential).", SettingGroup.Model),
            new SettingsSection(
                "Stream",
                typeof(StreamOptions),
                "how a recorded stream is run (protocol prequential).",
                SettingGroup.Model
            ),
            new SettingsSection(
                "Offline",
                typeof(OfflineOptions),
                "how a model is trained on recorded sequences (`streaming-lab backtest`).",
                SettingGroup.Model
            ),
        ])
        {
            // A live worker's environment and file may set what a backtest has no use for.
            Elsewhere = new HashSet<string>(
                [
                    .. WorkerSettings
                        .Catalogue.Sections.Select(static section => section.Name)
                        .Except(["Events", "History", "Dedup", "Model", "Training"]),
                    .. Derived,
                    SettingsPreset.OldVariable,
                ],
                StringComparer.OrdinalIgnoreCase
            ),
        };

    /// <summary>Reads the settings: a file, over it the environment, and over both what the command line sets.</summary>
    /// <param name="overrides">Settings of the command line by name; the prefix may be left out.</param>
    /// <param name="protocol">Offline protocols have a preset of their own for what nobody sets.</param>
    /// <param name="file">A file of settings, or null.</param>
    /// <param name="withFeatures">Whether item files bring features.</param>
    /// <exception cref="SettingsException">Something is wrong: names everything that is.</exception>
    public static BacktestOptions Load(
        IReadOnlyDictionary<string, string> overrides,
        BacktestProtocol protocol,
        string? file = null,
        bool withFeatures = false
    )
    {
        // What other commands read may be set anywhere else; on this command line it is a slip.
        string[] foreign = [.. overrides.Keys.Where(static name => Catalogue.IsElsewhere(Bare(name)))];
        if (foreign.Length > 0)
        {
            throw new SettingsException([.. foreign.Select(Explain)]);
        }

        SettingsCatalogue catalogue = withFeatures ? CatalogueWithFeatures : Catalogue;
        SettingsLayer[] layers = [.. SettingsOption.Layers(file, catalogue), SettingsLayer.CommandLine(overrides)];
        SettingsValues settings = catalogue.Load(layers);
        return new BacktestOptions(
            protocol == BacktestProtocol.Prequential
                ? settings
                : catalogue.Load([OfflinePreset.For(settings.Get<ModelOptions>()), .. layers])
        );
    }

    /// <summary>A setting's name without the prefix.</summary>
    public static string Bare(string name) =>
        name.StartsWith(Setting.Prefix, StringComparison.OrdinalIgnoreCase) ? name[Setting.Prefix.Length..] : name;

    private static string Explain(string name) =>
        Derived.Contains(Bare(name), StringComparer.OrdinalIgnoreCase)
            ? $"{name} is not a setting of a backtest: feature groups come from --items, the capacity from the data, threads from "
                + "--threads."
            : $"{name} is not a setting of a backtest; allowed: those of the sections "
                + $"{string.Join(", ", Catalogue.Sections.Select(section => section.Name).Distinct())}.";

    private static void CheckWithoutFeatures(SettingsValues settings)
    {
        ModelOptions model = settings.Get<ModelOptions>();
        (model with { ItemIds = true }).Validate();
        if (!model.ItemIds)
        {
            var errors = new OptionErrors();
            errors.Add(
                nameof(ModelOptions.ItemIds),
                "false without --items",
                "true, or item files (--items FILE…) that bring features, because an item needs a vector"
            );
            errors.Throw();
        }
    }

    /// <summary>The settings that differ from the defaults, as a file that --settings reads.</summary>
    public static string ToFile(BacktestOptions options, string comment)
    {
        SettingsValues settings = options.Settings;
        var lines = new List<string> { "# " + comment };
        foreach (SettingsSection section in settings.Catalogue.Sections)
        {
            object defaults = Activator.CreateInstance(section.Type)!;
            object values = settings.Get(section.Type);
            lines.AddRange(
                section
                    .Settings.Where(setting => setting.Show(values) != setting.Show(defaults))
                    .Select(setting => SettingsFile.Line(setting.Variable, setting.Show(values)))
            );
        }

        return string.Join('\n', lines) + "\n";
    }
}
