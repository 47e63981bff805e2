using System.Reflection;

namespace Streaming.Worker.Settings;

/// <summary>One setting: a property of an options class and the environment variable that sets it.</summary>
public sealed class Setting(SettingsSection section, PropertyInfo[] path, bool secret)
{
    /// <summary>Gets the environment variable: Section__Property.</summary>
    public string Variable { get; } = section.Name + "__" + string.Join("__", path.Select(property => property.Name));

    /// <summary>Gets the property's name, with those of the objects that it stands in: Schedule.WarmupSteps.</summary>
    public string Name { get; } = string.Join('.', path.Select(property => property.Name));

    /// <summary>Gets a value indicating whether the value is never shown, and may come from a file.</summary>
    public bool Secret { get; } = secret;

    /// <summary>Gets the options class of the section.</summary>
    public Type OptionsType => section.Type;

    /// <summary>Gets the type of the value.</summary>
    public Type Type => path[^1].PropertyType;

    /// <summary>Gets the property whose doc comment describes the setting.</summary>
    public PropertyInfo Property => path[^1];

    /// <summary>Reads the value from an options object.</summary>
    public object? Get(object options)
    {
        object? value = options;
        foreach (PropertyInfo property in path)
        {
            value = value is null ? null : property.GetValue(value);
        }

        return value;
    }

    /// <summary>Writes the value into an options object.</summary>
    public void Set(object options, object? value)
    {
        object owner = options;
        foreach (PropertyInfo property in path.AsSpan(0, path.Length - 1))
        {
            owner = property.GetValue(owner) ?? throw new InvalidOperationException($"{Variable}: {property.Name} is null by default.");
        }

        path[^1].SetValue(owner, value);
    }

    /// <summary>The value as it may be shown.</summary>
    public string Show(object options)
    {
        string text = SettingValue.Format(Get(options));
        return Secret ? SecretMask.Apply(text) : text;
    }
}
