using System.Collections;
using Streaming.Learning;

namespace Streaming.Worker;

/// <summary>The settings of this program.</summary>
/// <remarks>
/// To add a setting: add a property to the options class of its component, with its default in the initialiser and the
/// default and the bounds in its doc comment, check it in that class's Validate(), and run `streaming config --markdown`
/// into the README. A new options class gets a line here.
/// </remarks>
internal static class WorkerSettings
{
    /// <summary>Gets all sections.</summary>
    public static SettingsCatalogue Catalogue { get; } = new(
    [
        new SettingsSection("Model", typeof(ModelOptions), "shape and hyper-parameters of the model; a checkpoint must agree with them."),
        new SettingsSection("Log", typeof(LogOptions), "what is logged, to standard error."),
    ]);

    /// <summary>Reads the settings from the environment of this process.</summary>
    /// <exception cref="SettingsException">Something is wrong: names everything that is.</exception>
    public static SettingsValues FromEnvironment() => Catalogue.Load(
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? string.Empty, StringComparer.Ordinal));
}
