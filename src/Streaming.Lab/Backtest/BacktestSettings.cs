using System.Collections;
using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;

namespace Streaming.Lab.Backtest;

/// <summary>The settings that a backtest reads: the model's, and how it is trained offline or on a stream.</summary>
internal static class BacktestSettings
{
    /// <summary>Gets the sections, where no item files are given.</summary>
    public static SettingsCatalogue Catalogue { get; } = Create(CheckWithoutFeatures);

    /// <summary>Gets the sections, where item files bring features: how many is known when they are read.</summary>
    private static SettingsCatalogue CatalogueWithFeatures { get; } = Create(static settings => (settings.Get<ModelOptions>() with { FeatureGroups = [new FeatureGroup("items", 1)] }).Validate());

    /// <summary>Gets the variables that follow from the data or have an option.</summary>
    private static HashSet<string> Derived { get; } = new(StringComparer.OrdinalIgnoreCase) { "Model__FeatureGroups", "Model__ItemCapacity", "Training__Threads" };

    private static SettingsCatalogue Create(Action<SettingsValues> checkModel) => new(
    [
        new SettingsSection("Events", typeof(EventOptions), "what counts as an event, and how much (--events)."),
        new SettingsSection("History", typeof(HistoryOptions), "what is kept of each user; new items and repeats are told by it (protocol prequential)."),
        new SettingsSection("Dedup", typeof(DedupOptions), "the window in which a second record of an event is recognised, by event time (--events)."),
        new SettingsSection("Model", typeof(ModelOptions), "shape and hyper-parameters of the model.") { Derived = new HashSet<string> { nameof(ModelOptions.FeatureGroups), nameof(ModelOptions.ItemCapacity) }, Check = checkModel },
        new SettingsSection("Training", typeof(EngineOptions), "what computes the training step.") { Derived = new HashSet<string> { nameof(EngineOptions.Threads) } },
        new SettingsSection("Training", typeof(TrainerOptions), "how a stream is learned (protocol prequential)."),
        new SettingsSection("Stream", typeof(StreamOptions), "how a recorded stream is run (protocol prequential)."),
        new SettingsSection("Offline", typeof(OfflineOptions), "how a model is trained on recorded sequences (`streaming-lab backtest`)."),
    ]);

    /// <summary>Reads the settings: the environment, and over it what the command line sets.</summary>
    /// <param name="overrides">Variables by name.</param>
    /// <param name="protocol">Offline protocols have a preset of their own for what nobody sets.</param>
    /// <param name="withFeatures">Whether item files bring features.</param>
    /// <exception cref="SettingsException">Something is wrong: names everything that is.</exception>
    public static SettingsValues Load(IReadOnlyDictionary<string, string> overrides, BacktestProtocol protocol, bool withFeatures = false)
    {
        // A live worker's environment may set what has no variable here.
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(pair => !Derived.Contains((string)pair.Key))
            .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? string.Empty, StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string value) in overrides)
        {
            environment[name] = value;
        }

        if (protocol != BacktestProtocol.Prequential)
        {
            OfflinePreset.Complete(environment);
        }

        // A name outside the sections would be ignored as the environment's other variables are; on a command line it is a slip.
        string[] foreign = [.. overrides.Keys.Where(name => Derived.Contains(name) || !Catalogue.Sections.Any(section => name.StartsWith(section.Name + "__", StringComparison.OrdinalIgnoreCase)))];
        return foreign.Length == 0
            ? (withFeatures ? CatalogueWithFeatures : Catalogue).Load(environment)
            : throw new SettingsException([.. foreign.Select(Explain)]);
    }

    private static string Explain(string name) => Derived.Contains(name)
        ? $"{name} is not a setting of a backtest: feature groups come from --items, the capacity from the data, threads from --threads."
        : $"{name} is not a setting of a backtest; allowed: those of the sections {string.Join(", ", Catalogue.Sections.Select(section => section.Name).Distinct())}.";

    private static void CheckWithoutFeatures(SettingsValues settings)
    {
        ModelOptions model = settings.Get<ModelOptions>();
        (model with { ItemIds = true }).Validate();
        if (!model.ItemIds)
        {
            throw new ArgumentException("ItemIds is false without --items; allowed: true, or item files (--items FILE…) that bring features, because an item needs a vector.");
        }
    }

    /// <summary>The settings that differ from the defaults, as lines NAME=VALUE for an environment file.</summary>
    public static string ToFile(SettingsValues settings, string comment)
    {
        var lines = new List<string> { "# " + comment };
        foreach (var section in settings.Catalogue.Sections)
        {
            object defaults = Activator.CreateInstance(section.Type)!;
            object values = settings.Get(section.Type);
            lines.AddRange(section.Settings.Where(setting => setting.Show(values) != setting.Show(defaults)).Select(setting => $"{setting.Variable}={setting.Show(values)}"));
        }

        return string.Join('\n', lines) + "\n";
    }
}
