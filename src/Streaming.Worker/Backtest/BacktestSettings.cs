using System.Collections;
using Streaming.Learning;

namespace Streaming.Worker.Backtest;

/// <summary>The settings that a backtest reads: the model's, and how it is trained offline or on a stream.</summary>
internal static class BacktestSettings
{
    /// <summary>Gets the sections of an offline protocol.</summary>
    public static SettingsCatalogue Catalogue { get; } = new(
    [
        new SettingsSection("Model", typeof(ModelOptions), "shape and hyper-parameters of the model.") { Derived = new HashSet<string> { nameof(ModelOptions.FeatureGroups), nameof(ModelOptions.ItemCapacity) } },
        new SettingsSection("Training", typeof(EngineOptions), "what computes the training step.") { Derived = new HashSet<string> { nameof(EngineOptions.Threads) } },
        new SettingsSection("Training", typeof(TrainerOptions), "how a stream is learned (protocol prequential)."),
        new SettingsSection("Stream", typeof(StreamOptions), "how a recorded stream is run (protocol prequential)."),
        new SettingsSection("Offline", typeof(OfflineOptions), "how a model is trained on recorded sequences (`streaming backtest`)."),
    ]);

    /// <summary>Reads the settings: the environment, and over it what the command line sets.</summary>
    /// <param name="overrides">Variables by name.</param>
    /// <param name="protocol">Offline protocols have a preset of their own for what nobody sets.</param>
    /// <exception cref="SettingsException">Something is wrong: names everything that is.</exception>
    public static SettingsValues Load(IReadOnlyDictionary<string, string> overrides, BacktestProtocol protocol)
    {
        // What follows from the data or has an option has no variable here; a live worker's environment may set it all the same.
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(pair => (string)pair.Key is not ("Model__FeatureGroups" or "Model__ItemCapacity" or "Training__Threads"))
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
        string[] foreign = [.. overrides.Keys.Where(name => !Catalogue.Sections.Any(section => name.StartsWith(section.Name + "__", StringComparison.OrdinalIgnoreCase)))];
        return foreign.Length == 0
            ? Catalogue.Load(environment)
            : throw new SettingsException([.. foreign.Select(name => $"{name} is not a setting of a backtest; allowed: those of the sections {string.Join(", ", Catalogue.Sections.Select(section => section.Name).Distinct())}.")]);
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
