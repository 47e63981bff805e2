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

/// <summary>The settings that a backtest reads: the model, and how it is trained offline or on a stream.</summary>
internal static class BacktestSettings
{
    // Determined by the data or by an option. Declared before the catalogues, which use it while they are initialized.
    private static readonly string[] Derived = ["Model__ItemCapacity", "Training__Threads"];

    /// <summary>Gets the sections if no item files are given.</summary>
    public static SettingsCatalogue Catalogue { get; } = Create(CheckWithoutFeatures);

    /// <summary>Gets the sections if item files provide features. The length of fitted ones is known once the files are read.</summary>
    private static SettingsCatalogue CatalogueWithFeatures { get; } = Create(CheckWithFeatures);

    private static SettingsCatalogue Create(Action<SettingsValues> checkModel) =>
        new([
            new SettingsSection("Events", typeof(EventOptions), "which events count, and with which weight (--events)."),
            new SettingsSection(
                "History",
                typeof(HistoryOptions),
                "the history of each user, which tells new items from repeats (protocol prequential)."
            ),
            new SettingsSection(
                "Dedup",
                typeof(DedupOptions),
                "the window, in event time, in which duplicate events are recognized (--events)."
            ),
            new SettingsSection("Model", typeof(ModelOptions), "shape and hyper-parameters of the model.", SettingGroup.Model)
            {
                Derived = new HashSet<string> { nameof(ModelOptions.ItemCapacity) },
                Check = checkModel,
            },
            new SettingsSection("Training", typeof(EngineOptions), "what computes the training step.", SettingGroup.Model)
            {
                Derived = new HashSet<string> { nameof(EngineOptions.Threads) },
            },
            new SettingsSection(
                "Training",
                typeof(TrainerOptions),
                "how a model is trained on a stream (protocol prequential).",
                SettingGroup.Model
            ),
            new SettingsSection(
                "Stream",
                typeof(StreamOptions),
                "how a recorded stream is replayed (protocol prequential).",
                SettingGroup.Model
            ),
            new SettingsSection(
                "Retrain",
                typeof(RetrainOptions),
                "the scheduled training that a stream's model is compared with (protocol prequential).",
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
            // The environment and settings file of a live worker may contain settings that a backtest does not use.
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

    /// <summary>Reads the settings of a file, the environment and the command line; later ones take precedence.</summary>
    /// <param name="overrides">Settings of the command line by name; the prefix may be left out.</param>
    /// <param name="protocol">Offline protocols have a preset for settings that are not set.</param>
    /// <param name="file">A file of settings, or null.</param>
    /// <param name="withFeatures">Whether item files provide features.</param>
    /// <exception cref="SettingsException">A setting is invalid; names each.</exception>
    public static BacktestOptions Load(
        IReadOnlyDictionary<string, string> overrides,
        BacktestProtocol protocol,
        string? file = null,
        bool withFeatures = false
    )
    {
        // Settings of other commands are allowed elsewhere; on this command line they are a mistake.
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
            ? $"{name} is not a setting of a backtest: the item capacity comes from the data, threads from --threads."
            : $"{name} is not a setting of a backtest; allowed: those of the sections "
                + $"{string.Join(", ", Catalogue.Sections.Select(section => section.Name).Distinct())}.";

    private static void CheckWithFeatures(SettingsValues settings)
    {
        ModelOptions model = settings.Get<ModelOptions>();
        bool isHashed = FeatureSource.HashedOf(model).Count > 0;
        (isHashed ? model : model with { FeatureGroups = [new FeatureGroup("items", 1)] }).Validate();
    }

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
                "true, or item files with features (--items FILE…): without either, an item has no vector"
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
