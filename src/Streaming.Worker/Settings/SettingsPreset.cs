namespace Streaming.Worker.Settings;

/// <summary>Values for a kind of installation, chosen by one name. Whatever is set elsewhere replaces them.</summary>
/// <param name="Name">The value of <see cref="Variable"/> that chooses it.</param>
/// <param name="Purpose">What it is for, one sentence.</param>
/// <param name="Values">Values by the names of their settings.</param>
public sealed record SettingsPreset(string Name, string Purpose, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>The setting that chooses a preset.</summary>
    public const string Variable = Setting.Prefix + OldVariable;

    /// <summary>Its name without the prefix, for files of settings.</summary>
    public const string OldVariable = "Preset";
}
