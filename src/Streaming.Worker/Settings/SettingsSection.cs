using System.Reflection;

namespace Streaming.Worker.Settings;

/// <summary>A section of the settings: an options record and the prefix of its names.</summary>
/// <param name="Name">Part of the names: "Kafka" makes STREAMING__Kafka__BootstrapServers. Sections may share one, where their settings'
/// names differ.</param>
/// <param name="Type">Options record: public properties with defaults, and optionally a method Validate() that throws an
/// <see cref="Core.Options.OptionsException"/>.</param>
/// <param name="Purpose">One line for the page of settings.</param>
/// <param name="Group">Who sets it.</param>
public sealed record SettingsSection(string Name, Type Type, string Purpose, SettingGroup Group = SettingGroup.Operations)
{
    /// <summary>Gets the properties that hold secrets: shown as *** and readable from a file.</summary>
    public IReadOnlySet<string> Secrets { get; init; } = new HashSet<string>();

    /// <summary>Gets the properties that follow from other settings and have no name of their own.</summary>
    public IReadOnlySet<string> Derived { get; init; } = new HashSet<string>();

    /// <summary>Gets the properties that most installations set: shown first.</summary>
    public IReadOnlySet<string> Essential { get; init; } = new HashSet<string>();

    /// <summary>Gets the check of the section's options, given all settings. By default the options' own Validate().</summary>
    public Action<SettingsValues>? Check { get; init; }

    /// <summary>Gets the settings of the section, in the order in which the record declares them.</summary>
    public IReadOnlyList<Setting> Settings => field ??= [.. Discover(Type, [])];

    /// <summary>The name of a property of the section as users set it.</summary>
    /// <param name="property">With the properties that hold it: LearningRate.Peak.</param>
    public string VariableOf(string property) => $"{Setting.Prefix}{Name}__{property.Replace(".", "__", StringComparison.Ordinal)}";

    private IEnumerable<Setting> Discover(Type type, PropertyInfo[] path)
    {
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.SetMethod is null || !property.SetMethod.IsPublic || Derived.Contains(property.Name))
            {
                continue;
            }

            PropertyInfo[] here = [.. path, property];
            if (SettingValue.Supports(property.PropertyType))
            {
                yield return new Setting(this, here, Secrets.Contains(property.Name));
            }
            else if (IsNestedOptions(property.PropertyType))
            {
                foreach (Setting inner in Discover(property.PropertyType, here))
                {
                    yield return inner;
                }
            }
        }
    }

    private static bool IsNestedOptions(Type type) =>
        type.IsClass
        && type.Namespace?.StartsWith(nameof(Streaming), StringComparison.Ordinal) == true
        && type.GetConstructor(Type.EmptyTypes) is not null;
}
