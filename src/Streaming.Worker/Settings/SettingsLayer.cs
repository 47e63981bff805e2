namespace Streaming.Worker.Settings;

/// <summary>A name and a value that were given, and where: "" in the environment, else a file and its line.</summary>
public readonly record struct SettingInput(string Name, string Text, string Place);

/// <summary>The settings of one origin.</summary>
/// <param name="Origin">Where they come from.</param>
/// <param name="Inputs">What it says.</param>
public sealed record SettingsLayer(SettingOrigin Origin, IReadOnlyList<SettingInput> Inputs)
{
    /// <summary>Gets what could not be read at all, a line each.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Gets what users must be told though nothing is wrong, a line each.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>Variables of an environment. Those that are no settings are other programs'.</summary>
    public static SettingsLayer Environment(IEnumerable<KeyValuePair<string, string>> variables) =>
        new(SettingOrigin.Environment, [.. variables.Select(static pair => new SettingInput(pair.Key, pair.Value, string.Empty))]);

    /// <summary>Names and values that an option of the command line gives.</summary>
    public static SettingsLayer CommandLine(IEnumerable<KeyValuePair<string, string>> values) =>
        new(SettingOrigin.CommandLine, [.. values.Select(static pair => new SettingInput(pair.Key, pair.Value, string.Empty))]);
}
