using System.Reflection;

namespace Streaming.Worker.Settings;

/// <summary>One setting: a property of an options record and the name that sets it.</summary>
public sealed class Setting(SettingsSection section, PropertyInfo[] path, bool secret)
{
    /// <summary>What the name of every setting begins with, so that variables of other programs are never taken for one.</summary>
    public const string Prefix = "STREAMING__";

    /// <summary>Gets the name as users set it: STREAMING__Section__Property.</summary>
    public string Variable => Prefix + OldVariable;

    /// <summary>Gets the name without the prefix, as versions up to 0.1 had it; files of settings may use it too.</summary>
    public string OldVariable { get; } = section.Name + "__" + string.Join("__", path.Select(property => property.Name));

    /// <summary>Gets the property's name, with those of the objects that hold it: LearningRate.Peak.</summary>
    public string Name { get; } = string.Join('.', path.Select(property => property.Name));

    /// <summary>Gets a value indicating whether the value is never shown, and may come from a file.</summary>
    public bool Secret { get; } = secret;

    /// <summary>Gets a value indicating whether it is one of the few that most installations set.</summary>
    public bool Essential => section.Essential.Contains(Name);

    /// <summary>Gets the options record of the section.</summary>
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

    /// <summary>Writes the value into an options object that is being made and that nobody else has yet.</summary>
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
