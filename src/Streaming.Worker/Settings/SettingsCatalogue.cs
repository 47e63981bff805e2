using System.Reflection;
using Streaming.Core.Options;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Settings;

/// <summary>All settings of a program, and how they are read.</summary>
public sealed class SettingsCatalogue(IReadOnlyList<SettingsSection> sections)
{
    /// <summary>Gets the sections, in the order in which they are shown.</summary>
    public IReadOnlyList<SettingsSection> Sections { get; } = sections;

    /// <summary>
    /// Gets what the other programs that share the environment read, and this one does not: sections, or single settings
    /// (Model__ItemCapacity).
    /// </summary>
    public IReadOnlySet<string> Elsewhere { get; init; } = new HashSet<string>();

    /// <summary>Gets the presets; without any, there is no setting that chooses one.</summary>
    public IReadOnlyList<SettingsPreset> Presets { get; init; } = [];

    /// <summary>Reads every section from an environment, over the defaults.</summary>
    /// <exception cref="SettingsException">Names everything that is unknown, unreadable or not allowed.</exception>
    public SettingsValues Load(IReadOnlyDictionary<string, string> environment) => Load([SettingsLayer.Environment(environment)]);

    /// <summary>Reads every section from layers, over the defaults.</summary>
    /// <param name="layers">Later ones replace what earlier ones say.</param>
    /// <exception cref="SettingsException">Names everything that is unknown, unreadable or not allowed.</exception>
    public SettingsValues Load(IReadOnlyList<SettingsLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        var errors = new List<string>();
        var binder = new SettingsBinder(this, errors);
        var choice = new PresetChoice(Presets, layers, errors);
        foreach (SettingsLayer layer in choice.Layers)
        {
            binder.Bind(layer);
        }

        var settings = new SettingsValues(this, binder.Values)
        {
            Preset = choice.Preset,
            Sources = binder.Sources,
            Notices = binder.Notices(),
        };
        foreach (SettingsSection section in Sections)
        {
            errors.AddRange(Errors(section, settings).Select(error => Name(section, error, binder)));
        }

        return errors.Count == 0 ? settings : throw new SettingsException(errors);
    }

    /// <summary>Whether a name without the prefix belongs to another program.</summary>
    public bool IsElsewhere(string bare) =>
        Elsewhere.Contains(bare) || (bare.IndexOf("__", StringComparison.Ordinal) is var end and > 0 && Elsewhere.Contains(bare[..end]));

    private static IReadOnlyList<SettingError> Errors(SettingsSection section, SettingsValues settings)
    {
        try
        {
            (section.Check ?? (values => ValidateItself(values.Get(section.Type))))(settings);
            return [];
        }
        catch (OptionsException exception)
        {
            return exception.Errors;
        }
    }

    private static void ValidateItself(object options)
    {
        const BindingFlags plain = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DoNotWrapExceptions;
        options.GetType().GetMethod("Validate", Type.EmptyTypes)?.Invoke(options, plain, null, null, null);
    }

    /// <summary>The error with the setting's name in place of the property's.</summary>
    private static string Name(SettingsSection section, SettingError error, SettingsBinder binder)
    {
        Setting? setting = section.Settings.FirstOrDefault(setting => setting.Name == error.Property);
        return (error with { Property = setting is null ? section.VariableOf(error.Property) : binder.LabelOf(setting) }).ToString();
    }
}
