namespace Streaming.Worker.Settings;

/// <summary>The effective settings: one options object a section.</summary>
public sealed class SettingsValues(SettingsCatalogue catalogue, IReadOnlyDictionary<Type, object> values)
{
    /// <summary>Gets the catalogue that these were read by.</summary>
    public SettingsCatalogue Catalogue { get; } = catalogue;

    /// <summary>Gets the preset that was chosen, or null.</summary>
    public SettingsPreset? Preset { get; init; }

    /// <summary>Gets where each value that is not the default comes from.</summary>
    public IReadOnlyDictionary<Setting, SettingSource> Sources { get; init; } = new Dictionary<Setting, SettingSource>();

    /// <summary>Gets what users must be told though nothing is wrong: old names, and settings that nothing reads.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>The options of a section.</summary>
    public T Get<T>()
        where T : class => (T)values[typeof(T)];

    /// <summary>The options of a section, by type.</summary>
    public object Get(Type type) => values[type];
}
